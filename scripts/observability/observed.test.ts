import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { discoverFunctions } from '../../shared/spec/discover.ts'
import { alerts } from '../generate/observability/alert-rules.ts'
import { Guardian } from '../local/guardian.ts'
import { Started, until } from '../local/testing/fixture.ts'
import { WholeTree } from '../local/testing/whole-tree.ts'
import { folder, queries, read, rulesOf } from './files.ts'
import { fail, load, poison, students, urlsOf } from './load.ts'
import { startNatsExporter } from './nats-exporter.ts'
import { OtlpReceiver } from './otlp-receiver.ts'
import { missing, Prometheus, startExporter } from './scraped.ts'

/*
 * A whole run, used as its users use it, and scraped by a real Prometheus with the rules that a cluster has: no query of a
 * dashboard and nothing that an alert looks at may be without an answer.
 */

const without = missing('prometheus', 'prometheus-postgres-exporter', 'prometheus-redis-exporter')
if (without && process.env['CI']) throw new Error(without)
if (without) process.stderr.write(`SKIPPED: scripts/observability/observed.test.ts: ${without}\n`)

const root = join(import.meta.dirname, '../..')
const functions = await discoverFunctions(root)
/** All but jobs, which come and go too soon to be seen serving. */
const served = functions.filter(({ declaration: { trigger } }) => !['cron', 'job'].includes(trigger.kind))

describe.skipIf(without)('a run that is observed', () => {
  const stack = new AsyncDisposableStack()
  let prometheus: Prometheus
  let run: Started

  beforeAll(async () => {
    const tree = stack.adopt(new WholeTree(), (one) => one[Symbol.dispose]())
    run = stack.use(await new Started(tree).ready())
    const receiver = stack.use(new OtlpReceiver())
    const pushed = await receiver.listen()
    prometheus = await observe(stack, tree, { registrar: [new URL(run.url).host], otlp: [pushed] })
    await load(run)
    await Promise.all([poison(run, tree), checkDrift(tree, pushed)])
    await fail(run, tree)
    await until('the sweepers have been heard of', async () => {
      const metrics = await (await fetch(`${run.url}/metrics`)).text()
      return ['students', 'courses'].every((one) =>
        metrics.includes(`oldest_seconds{function="${one}/sweep"}`),
      )
    })
  }, 120_000)
  afterAll(() => stack.disposeAsync(), 60_000)

  /** Those that stay without an answer until the rules have seen what was done. */
  async function unanswered(all: readonly { where: string; expr: string }[]): Promise<string[]> {
    let left = [...all]
    await until(
      'all are answered',
      async () => {
        // Something divided by nothing is no answer either.
        const found = await Promise.all(
          left.map(async (one) => {
            const samples = await prometheus.query(one.expr)
            return samples.some(({ value }) => value[1] !== 'NaN') ? [] : [one]
          }),
        )
        left = found.flat()
        return left.length === 0
      },
      20_000,
    ).catch(() => {})
    return left.map(({ where, expr }) => `${where}: ${expr}`)
  }

  it('answers every query of the dashboards', async () => {
    const all = queries().filter(({ datasource }) => datasource === 'prometheus')
    expect(all.length).toBeGreaterThan(50)
    expect(await unanswered(all)).toEqual([])
  })

  it('leads from each latency to traces that the log knows', async () => {
    const dotted = queries().filter(({ exemplars }) => exemplars)
    expect(dotted).toHaveLength(served.length)
    for (const { expr } of dotted) {
      const found = await prometheus.exemplars(expr)
      expect(found, expr).not.toEqual([])
      for (const { labels } of found) expect(run.stdout, expr).toContain(labels.trace_id)
    }
  })

  it('has what every alert looks at', async () => {
    const rules = rulesOf('prometheus/rules/alerts.yml')
    const all = alerts(functions)
    // What is looked at is a part of the rule that Prometheus reads, and all rules are seen to.
    expect(all.map(({ alert, expr }) => [alert, expr])).toEqual(rules.map(({ alert, expr }) => [alert, expr]))
    for (const { expr, looksAt } of all) for (const part of looksAt) expect(expr).toContain(part)
    expect(
      await unanswered(all.flatMap(({ alert, looksAt }) => looksAt.map((expr) => ({ where: alert, expr })))),
    ).toEqual([])
  })

  it('has what every rule records', async () => {
    // There is no Kong in a local run; its rules have tests of their own.
    const rules = rulesOf('prometheus/rules/recording.yml').filter(({ expr }) => !expr.includes('kong_'))
    const all = rules.map(({ record = '' }) => ({ where: record, expr: record }))
    expect(await unanswered(all)).toEqual([])
  })

  it('counts from zero: what was done is what is told', async () => {
    const value = async (expr: string): Promise<number> => Number((await prometheus.query(expr))[0]?.value[1])
    const done = 'sum(function:registrar_invocations:grown5m{function="students/create", outcome="ok"})'
    await until('it is told', async () => (await value(done)) === students)
    expect(await value('function:registrar_cold_starts:grown5m{function="students/delete"}')).toBe(1)
    expect(await value('stream:registrar_messages:max{stream_name="DeadLetter"}')).toBe(2)
    expect(await value('registrar_drift_differences{function="platform/initialize"}')).toBe(0)
    expect(await value('service:registrar_failed_requests:ratio_rate5m{service="students"}')).toBeGreaterThan(
      0,
    )
  })

  it('has the alert about what is wrong in it', async () => {
    await until('it fires', async () =>
      (await prometheus.alerts()).some(
        ({ alertname, state }) => alertname === 'RegistrarDeadLetters' && state === 'firing',
      ),
    )
    const others = new Set((await prometheus.alerts()).map(({ alertname }) => alertname))
    for (const quiet of [
      'RegistrarDrift',
      'RegistrarSweeperSilent',
      'RegistrarOutboxOld',
      'RegistrarConsumerStalled',
    ])
      expect(others).not.toContain(quiet)
  })
})

/** Prometheus as beside `npm start`, with exporters for the run's own servers. */
async function observe(
  stack: AsyncDisposableStack,
  tree: WholeTree,
  known: Readonly<Record<string, readonly string[]>>,
): Promise<Prometheus> {
  const guardian = stack.use(new Guardian())
  const around = {
    dir: join(tree.root, 'observed'),
    onSpawn: (child: Parameters<Guardian['watch']>[0], stop: NodeJS.Signals) => guardian.watch(child, stop),
  }
  const { STUDENTS_URL = '', CACHE_URL = '' } = urlsOf(tree)
  const monitor =
    /^http: "(.+)"$/m.exec(readFileSync(join(tree.dataDir, 'nats/nats.conf'), 'utf8'))?.[1] ?? ''
  const nats = stack.use(await startNatsExporter(monitor))
  const cache = new URL(CACHE_URL)
  const [database, redis] = await Promise.all([
    startExporter(around, 'prometheus-postgres-exporter', {
      DATA_SOURCE_NAME: await monitorUrl(STUDENTS_URL),
    }),
    startExporter(around, 'prometheus-redis-exporter', {
      REDIS_ADDR: `redis://${cache.host}`,
      REDIS_PASSWORD: decodeURIComponent(cache.password),
    }),
  ])
  stack.use(database)
  stack.use(redis)
  const targets = { ...known, nats: [nats.address], postgres: [database.url], redis: [redis.url] }
  return stack.use(
    await Prometheus.start(around, {
      'prometheus.yml': configuration(targets),
      'rules/recording.yml': often(read('prometheus/rules/recording.yml')),
      'rules/alerts.yml': often(read('prometheus/rules/alerts.yml')),
    }),
  )
}

/** A role that may look and no more. The run's own has a password that the exporter's driver thinks too easily made. */
async function monitorUrl(url: string): Promise<string> {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  await sql`set scram_iterations = 4096`
  await sql`create role monitor login password 'monitor' in role pg_monitor`
  await sql.end()
  const own = new URL(url)
  own.username = own.password = 'monitor'
  own.search = 'sslmode=disable'
  return own.href
}

/** prometheus.local.yml with the addresses of this run, and everything looked at each second. */
function configuration(targets: Readonly<Record<string, readonly string[]>>): string {
  const config = parse(readFileSync(join(folder, 'prometheus/prometheus.local.yml'), 'utf8'))
  const jobs: { job_name: string }[] = [...config.scrape_configs, { job_name: 'otlp', honor_labels: true }]
  return stringify({
    ...config,
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    scrape_configs: jobs.map((job) => ({ ...job, static_configs: [{ targets: targets[job.job_name] }] })),
  })
}

const often = (rules: string): string => rules.replaceAll(/^ {4}interval: .+$/gm, '    interval: 1s')

/** As a CronJob does it: a run that pushes what it found. */
async function checkDrift(tree: WholeTree, receiver: string): Promise<void> {
  await promisify(execFile)(process.execPath, ['shared/hosts/main.ts', 'platform/initialize', '--check'], {
    cwd: tree.root,
    env: {
      ...urlsOf(tree),
      PATH: process.env['PATH'] ?? '',
      OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `http://${receiver}/v1/metrics`,
    },
  })
}
