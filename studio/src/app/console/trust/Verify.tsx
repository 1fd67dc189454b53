import { t } from '../../../ui/messages'
import { CopyText } from '../CopyText'

/** How to check without us, in three lines, and how to watch. */
export function Verify({ logKey }: { logKey: string }) {
  const log = `${location.origin}/log`
  const lines = [`curl -O ${log}/policy`, 'evenhand verifier -o verify.py', `python verify.py evidence.zip --policy policy --key "${logKey}"`]
  return (
    <section className="eh-card eh-trust-verify">
      <h2>{t('console.trust.verify')}</h2>
      <p className="eh-muted">{t('console.trust.verify.text')}</p>
      <pre className="eh-trust-code" tabIndex={0} aria-label={t('console.trust.commands')}>
        {lines.join('\n')}
      </pre>
      <p className="eh-muted">{t('console.trust.verify.watch')}</p>
      <CopyText text={`evenhand witness --log ${log}`} label={t('console.trust.commands')} />
      <h3 className="eh-trust-title">{t('console.trust.key')}</h3>
      <CopyText text={logKey} label={t('console.trust.key.copy')} />
    </section>
  )
}
