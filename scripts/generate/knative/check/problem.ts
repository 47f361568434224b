/** One mistake, and where it is: `spec.template.spec.containers[0].image`. */
export interface Problem {
  readonly path: string
  readonly text: string
}

export type Path = readonly (string | number)[]

export function pathOf(parts: Path): string {
  const text = parts.map((part) => {
    if (typeof part === 'number' || /^\d+$/.test(part)) return `[${part}]`
    // Keys of labels and annotations have dots of their own.
    return /[./]/.test(part) ? `[${part}]` : `.${part}`
  })
  return text.join('').replace(/^\./, '')
}
