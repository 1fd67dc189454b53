import { Button } from '../../ui/Button'
import { t } from '../../ui/messages'
import { toast, toastError } from '../../ui/Toast'
import './Account.css'

/** Codes that stand in for a lost app, shown this once. */
export function RecoveryCodes({ codes }: { codes: readonly string[] }) {
  const copy = () => navigator.clipboard.writeText(codes.join('\n')).then(() => toast(t('ui.copied'), 'ok'), toastError)
  return (
    <div className="eh-stack">
      <p>{t('account.codes.text')}</p>
      <ol className="eh-codes">
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ol>
      <div>
        <Button icon="copy" onClick={() => void copy()}>
          {t('account.codes.copy')}
        </Button>
      </div>
    </div>
  )
}
