import { done } from '../ran.ts'

export const namespace = 'registrar'

/** As administrator of the lab, inside of `cluster shell`. @returns its output. @throws Error where it fails */
export const kubectl = (...args: string[]): Promise<string> =>
  done('kubectl', [...args, '--namespace', namespace])

/** Every object of a kind with these labels. */
export async function list(kind: string, selector: string): Promise<Item[]> {
  const text = await kubectl('get', kind, '--selector', selector, '--output', 'json')
  const { items }: { items: Item[] } = JSON.parse(text)
  return items
}

/** What is read of any object. */
export interface Item {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> }
  readonly status?: Readonly<Record<string, unknown>>
}
