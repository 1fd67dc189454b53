import './ViewerMark.css'

/** Enough to cover a screen; what is beyond the box is cut off. */
const TIMES = 120

/** Whose screen this is, laid over what can't carry a name itself. It takes no pointer and is read by nobody. */
export function ViewerMark({ text }: { readonly text: string }) {
  return (
    <div className="eh-viewer" aria-hidden="true" data-viewer={text}>
      <div>
        {Array.from({ length: TIMES }, (_, at) => (
          <span key={at}>{text}</span>
        ))}
      </div>
    </div>
  )
}
