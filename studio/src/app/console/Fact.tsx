/** A figure with its name, and what it means beneath. Stands in a `dl`. */
export function Fact({ name, value, sub }: { name: string; value: string; sub: string }) {
  return (
    <div className="eh-fact">
      <dt>{name}</dt>
      <dd>
        {value}
        <div className="eh-fact-sub">{sub}</div>
      </dd>
    </div>
  )
}
