// Class colours that people with any kind of colour vision can tell apart: Okabe and Ito (2008), then Paul Tol's "muted".
// After them the list repeats; the number in front of a class is the second channel.
export const palette: readonly { value: string; name: 'blue' | 'orange' | 'green' | 'vermilion' | 'sky' | 'purple' | 'yellow' | 'indigo' | 'teal' | 'olive' | 'rose' | 'wine' | 'sand' | 'grey' }[] = [
  { value: '#0072b2', name: 'blue' },
  { value: '#e69f00', name: 'orange' },
  { value: '#009e73', name: 'green' },
  { value: '#d55e00', name: 'vermilion' },
  { value: '#56b4e9', name: 'sky' },
  { value: '#cc79a7', name: 'purple' },
  { value: '#f0e442', name: 'yellow' },
  { value: '#332288', name: 'indigo' },
  { value: '#44aa99', name: 'teal' },
  { value: '#999933', name: 'olive' },
  { value: '#cc6677', name: 'rose' },
  { value: '#882255', name: 'wine' },
  { value: '#ddcc77', name: 'sand' },
  { value: '#777777', name: 'grey' },
]

export function colorAt(index: number): string {
  return palette[index % palette.length]?.value ?? '#777777'
}

/** The first colour that no class has yet. */
export function freeColor(taken: readonly (string | undefined)[]): string {
  return palette.find((color) => !taken.includes(color.value))?.value ?? colorAt(taken.length)
}

/** 1-9, then the first free letter of the name, then any free letter. */
export function freeHotkey(name: string, taken: readonly (string | undefined)[]): string {
  const candidates = [...'123456789', ...name.toLowerCase().replace(/[^a-z]/g, ''), ...'abcdefghijklmnopqrstuvwxyz']
  return candidates.find((key) => !taken.includes(key)) ?? ''
}
