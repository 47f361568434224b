/** What is judged, and what it means when it does not hold. */
export const judgements = {
  asymmetric: 'Q1: one side has an enrolment that the other has not, or another register of it',
  dangling: 'Q2: an enrolment has an end that does not exist',
  overfull: 'Q3: a course has over 60 students, or a student over 15 courses',
  lost: 'Q4: an acknowledged write is neither visible, nor superseded, nor taken back with a reason',
  stale: 'an answer was older than a write that was acknowledged before it was asked for',
  version: 'one version of one thing was shown with two contents, or versions went back',
  pending: 'something waits for ever',
  'dead-letter': 'a message became a dead letter that was no poison, or poison did not become one',
  answer: 'a request was refused without cause, or its answer does not show what was asked for',
  internal: 'a request was answered with 500, as an error that nobody foresaw',
} as const

export type Judgement = keyof typeof judgements

export interface Finding {
  readonly judgement: Judgement
  readonly text: string
}

export interface Verdict {
  readonly findings: readonly Finding[]
  /**
   * Stale answers that the contract allows: the writer was cut off from Redis when it wrote. `longest` is the time from
   * the acknowledgement to the question, in milliseconds.
   */
  readonly excused: { readonly count: number; readonly longest: number }
}
