import { otherSide, type Side } from '../../../shared/enrolment/register.ts'
import type { Events } from '../../../shared/resource/events.ts'
import { Refusal } from '../../local/refusal.ts'
import { resync } from '../resync.ts'
import { type InFlight, inWords } from './in-flight.ts'
import { becomesPresent, hasNews, type Pair } from './pair.ts'
import type { OpenSide } from './sides.ts'
import { type Finding, Survey, type SurveyParts } from './survey.ts'

export interface RepairParts extends SurveyParts {
  readonly sides: Readonly<Record<Side, OpenSide>>
  readonly events: Events
}

/**
 * Tells each side what it does not know, what ends enrolments first: else one that the limit has room for only after
 * another has ended would be taken back as too many. Returns how many registers were told. Run again it does no harm.
 */
export async function repair(parts: RepairParts, show: (finding: Finding) => void): Promise<number> {
  let told = 0
  for (const adding of [false, true]) {
    const survey = new Survey(parts)
    for await (const finding of survey.findings()) {
      if (!finding.certain) throw await immovable(parts.inFlight)
      if ('overfull' in finding || becomesPresent(finding.pair) !== adding) continue
      await expectBoth(parts)
      show(finding)
      told += await tellAgain(parts, finding.pair)
    }
    if (!(await parts.inFlight.arrived(parts.patience))) throw await immovable(parts.inFlight)
  }
  return told
}

/**
 * The other side's answer about what does not exist is to take the enrolment back: right for one course, and not for all
 * of them, nor all of one student, when a URL is wrong or a backup still to be restored.
 */
async function expectBoth({ stores }: RepairParts): Promise<void> {
  for (const [what, store] of [
    ['students', stores.S],
    ['courses', stores.C],
  ] as const) {
    if ((await store.page(undefined, 1)).length > 0) continue
    throw new Refusal(
      `There are no ${what} at all: a repair would take every enrolment back. Is ${what.toUpperCase()}_URL the right one, and its backup restored?`,
    )
  }
}

async function tellAgain({ sides, events }: RepairParts, pair: Pair): Promise<number> {
  const ends = {
    S: { id: pair.student_id, half: pair.students },
    C: { id: pair.course_id, half: pair.courses },
  }
  let told = 0
  for (const side of ['S', 'C'] as const) {
    const [own, other] = [ends[side], ends[otherSide(side)]]
    if (!hasNews(own.half, other.half)) continue
    const { repository } = sides[side]
    told += await resync({ side, repository, events }, own.id, new Set([other.id]))
  }
  return told
}

async function immovable(inFlight: InFlight): Promise<Refusal> {
  const what = inWords(await inFlight.waiting())
  return new Refusal(
    `Nothing can be repaired while something is under way that does not arrive (${what}): see that NATS, the workers and the sweepers run, and repair again.`,
  )
}
