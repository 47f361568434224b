import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { allFaults } from '../chaos/faults/kinds.ts'
import { folder, rulesOf } from './files.ts'
import { missing, promtool } from './scraped.ts'

const root = join(import.meta.dirname, '../..')
const alerts = rulesOf('prometheus/rules/alerts.yml')
const tests = readdirSync(join(import.meta.dirname, 'rules')).map((name) =>
  join(import.meta.dirname, 'rules', name),
)

const without = missing('promtool')
if (without && process.env['CI']) throw new Error(without)
if (without) process.stderr.write(`SKIPPED: most of scripts/observability/rules.test.ts: ${without}\n`)

describe.skipIf(without)('by promtool', () => {
  it.each(['prometheus.local.yml', 'prometheus.compose.yml'])(
    '%s is a configuration, with its rules',
    async (name) => {
      const { code, said } = await promtool('check', 'config', join(folder, 'prometheus', name))
      expect(code, said).toBe(0)
    },
  )

  it.each(tests)('rules do what %s says of them', async (file) => {
    const { code, said } = await promtool('test', 'rules', file)
    expect(code, said).toBe(0)
  })
})

interface Tested {
  readonly tests: readonly {
    readonly alert_rule_test?: readonly {
      readonly alertname: string
      readonly exp_alerts: readonly object[]
    }[]
    readonly promql_expr_test?: readonly { readonly expr: string; readonly exp_samples: readonly object[] }[]
  }[]
}

it('every alert has a test in which it fires, and one in which it does not', () => {
  const seen = { fires: new Set<string>(), quiet: new Set<string>() }
  for (const file of tests) {
    const tested: Tested = parse(readFileSync(file, 'utf8'), { merge: true })
    for (const { alert_rule_test: direct = [], promql_expr_test: asked = [] } of tested.tests) {
      for (const { alertname, exp_alerts: expected } of direct)
        seen[expected.length > 0 ? 'fires' : 'quiet'].add(alertname)
      for (const { expr, exp_samples: expected } of asked) {
        const matching = alerts.filter(({ alert = '' }) => matcherOf(expr)?.test(alert))
        for (const { alert = '' } of matching) seen[expected.length > 0 ? 'fires' : 'quiet'].add(alert)
      }
    }
  }
  const all = new Set(alerts.map(({ alert = '' }) => alert))
  expect(seen.fires).toEqual(all)
  expect(seen.quiet).toEqual(all)
})

/** Which alerts an expression over ALERTS looks at. */
function matcherOf(expr: string): RegExp | undefined {
  const [, pattern] = /ALERTS\{alertname=~?"([^"]+)"/.exec(expr) ?? []
  return pattern === undefined ? undefined : new RegExp(`^${pattern}$`)
}

it('every alert names a section of the runbook, and every section an alert', () => {
  const headings = [...readFileSync(join(root, 'RUNBOOK.md'), 'utf8').matchAll(/^## (.+)$/gm)]
  const anchors = headings.map(([, text = '']) => `RUNBOOK.md#${anchorOf(text)}`)
  const named = new Set(alerts.map(({ annotations }) => annotations?.['runbook']))
  expect([...named].filter((one) => !anchors.includes(one ?? ''))).toEqual([])
  expect(anchors.filter((one) => !named.has(one))).toEqual([])
})

it('every section says what one sees, what it means and what to do', () => {
  const [, ...sections] = readFileSync(join(root, 'RUNBOOK.md'), 'utf8').split(/^## /m)
  for (const section of sections)
    for (const word of ['**You see**', '**It means**', '**Do**']) expect(section).toContain(word)
})

it('every fault that chaos knows has a section of the runbook, with what one sees and does', () => {
  const [, ...sections] = (
    readFileSync(join(root, 'RUNBOOK.md'), 'utf8').split(/^# Faults$/m)[1] ?? ''
  ).split(/^### /m)
  const told = sections.flatMap((section) => {
    const [, kinds = ''] = /^Chaos: (.+)\.$/m.exec(section) ?? []
    if (kinds) for (const word of ['**Seen**', '**Means**', '**Do**']) expect(section).toContain(word)
    return [...kinds.matchAll(/`([a-z-]+)`/g)].map(([, kind]) => kind)
  })
  expect(told.sort()).toEqual([...allFaults].sort())
})

/** As GitHub makes anchors of headings. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-')
