import type { Api } from './api.ts'

/** Every link as one side has it, as `student course`. */
export async function linksOf(
  api: Api,
  side: 'students' | 'courses',
  ids: ReadonlySet<string>,
): Promise<Set<string>> {
  const field = side === 'students' ? 'course_ids' : 'student_ids'
  const links = new Set<string>()
  for (const entity of await everyOne(api, side)) {
    const { id, [field]: others = [] } = entity
    if (!ids.has(id)) continue
    for (const other of others) links.add(side === 'students' ? `${id} ${other}` : `${other} ${id}`)
  }
  return links
}

interface Entity {
  readonly id: string
  readonly course_ids?: readonly string[]
  readonly student_ids?: readonly string[]
}

/** All pages of a list. */
async function everyOne(api: Api, side: string): Promise<Entity[]> {
  const all: Entity[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`
    const page = (await api.must(200, 'GET', `/api/${side}?limit=200${query}`)) as {
      data: Entity[]
      next_cursor: string | null
    }
    all.push(...page.data)
    cursor = page.next_cursor
  }
  return all
}

/** What only one of two sets has. */
export const difference = (a: ReadonlySet<string>, b: ReadonlySet<string>): string[] => [
  ...[...a].filter((one) => !b.has(one)),
  ...[...b].filter((one) => !a.has(one)),
]
