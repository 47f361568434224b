import type { Seen, Service, WriteRecord } from '../history.ts'
import type { Random } from '../random.ts'
import type { Client, Write } from './client.ts'
import { bodyOf, limitOf, linkField, type Population } from './population.ts'

interface Hands {
  readonly client: Client
  readonly population: Population
  readonly random: Random
}

type Operation = (hands: Hands) => Promise<void>

/** How many there are to be: enough students to fill courses, and enough courses to fill students. */
export const wantedCount = { students: 75, courses: 18 } as const

const side = (random: Random): Service => (random.chance(0.6) ? 'students' : 'courses')

/** What clients do, and how often. */
const operations: readonly (readonly [weight: number, operation: Operation])[] = [
  [34, (hands) => relink(hands, 'patch')],
  [12, (hands) => relink(hands, 'replace')],
  [10, rename],
  [14, swap],
  [10, create],
  [6, remove],
  [4, twice],
]

export async function operate(hands: Hands): Promise<void> {
  await hands.random.weighted(operations)(hands)
}

/** Some links more, some less, of one that is picked; with If-Match at times. */
async function relink({ client, population, random }: Hands, kind: 'patch' | 'replace'): Promise<void> {
  const service = side(random)
  const target = random.pick(population.all(service))
  if (!target) return
  const kept = random.some(target.members, Math.max(0, target.members.length - random.between(0, 2)))
  const added = Array.from({ length: random.between(0, 3) }, () => population.other(service, random))
  const members = [...new Set([...kept, ...added])].slice(0, limitOf[service])
  await change({ client, population, random }, service, target, kind, members)
}

async function change(
  { client, population, random }: Hands,
  service: Service,
  { id, version }: Seen,
  kind: 'patch' | 'replace',
  members: readonly string[],
): Promise<void> {
  const ifMatch = random.chance(0.2) ? { ifMatch: version } : {}
  const name = kind === 'replace' ? { name: population.newName() } : {}
  const write: Write = { kind, service, id, members, ...name, ...ifMatch }
  const body =
    name.name === undefined ? { [linkField[service]]: members } : bodyOf(service, name.name, members)
  learn(population, await client.write(write, body))
  if (random.chance(0.5)) await look({ client, population, random }, service, id)
}

async function rename({ client, population, random }: Hands): Promise<void> {
  const service = side(random)
  const target = random.pick(population.ids(service))
  if (target === undefined) return
  const name = population.newName()
  learn(population, await client.write({ kind: 'patch', service, id: target, name }, { name }))
  await look({ client, population, random }, service, target)
}

/** Who holds a place of a full course gives it to another: from the course's side, or from both students at once. */
async function swap(hands: Hands): Promise<void> {
  const { client, population, random } = hands
  const fullest = population.all('courses').toSorted((a, b) => b.members.length - a.members.length)
  const course = random.pick(fullest.slice(0, 2))
  if (!course) return
  const out = random.pick(course.members)
  const into = random.pick(population.ids('students').filter((id) => !course.members.includes(id)))
  if (out === undefined || into === undefined) return
  if (random.chance(0.4)) {
    const members = [...course.members.filter((id) => id !== out), into]
    await change(hands, 'courses', course, 'patch', members)
    return
  }
  const move = async (id: string, joins: boolean): Promise<void> => {
    const student = population.get('students', id)
    if (!student) return
    const others = student.members.filter((one) => one !== course.id)
    const members = joins ? [...others.slice(0, limitOf.students - 1), course.id] : others
    const write: Write = { kind: 'patch', service: 'students', id, members }
    learn(population, await client.write(write, { course_ids: members }))
  }
  await Promise.all([move(out, false), move(into, true)])
}

async function create({ client, population, random }: Hands): Promise<void> {
  const service = side(random)
  if (population.count(service) >= wantedCount[service] + 8) return
  const count = random.between(0, service === 'students' ? 4 : 12)
  const members = [...new Set(Array.from({ length: count }, () => population.other(service, random)))]
  await createOne({ client, population, random }, service, members)
}

/** With a key it is repeated until it is certain, and now and then once more. */
export async function createOne(
  { client, population, random }: Hands,
  service: Service,
  members: readonly string[],
  careful = random.chance(0.6),
): Promise<WriteRecord> {
  const name = population.newName()
  const key = careful ? { key: `key-${name}` } : {}
  const write: Write = { kind: 'create', service, name, members, ...key }
  const body = bodyOf(service, name, members)
  const record = careful ? await client.insist(write, body) : await client.write(write, body)
  learn(population, record)
  if (careful && random.chance(0.3)) await client.write(write, body)
  return record
}

async function remove({ client, population, random }: Hands): Promise<void> {
  const service = side(random)
  if (population.count(service) < wantedCount[service]) return
  const id = random.pick(population.ids(service))
  if (id === undefined) return
  const record = await client.write({ kind: 'delete', service, id })
  if (record.outcome === 'acknowledged') population.forget(service, id)
  learn(population, record)
  await look({ client, population, random }, service, id)
}

/** Two clients write the links of one at once. */
async function twice(hands: Hands): Promise<void> {
  const service = side(hands.random)
  const target = hands.random.pick(hands.population.all(service))
  if (!target) return
  const members = (): string[] => [
    ...new Set([
      ...target.members.slice(hands.random.between(0, 2)),
      hands.population.other(service, hands.random),
    ]),
  ]
  const lists = [members(), members()]
  await Promise.all(
    lists.map((list) => change(hands, service, target, 'patch', list.slice(0, limitOf[service]))),
  )
}

/** Whoever wrote looks at once: what was there before must not be shown. */
async function look({ client, population }: Hands, service: Service, id: string): Promise<void> {
  const { seen } = await client.one(service, id)
  population.see(service, seen)
}

function learn(population: Population, { service, id, seen, status }: WriteRecord): void {
  if (seen) population.see(service, [seen])
  if (status === 404 && id !== undefined) population.forget(service, id)
}
