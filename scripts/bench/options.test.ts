import { expect, it } from 'vitest'
import { groups, readOptions, UsageError } from './options.ts'

it('measures every group but the functions, which have to be asked for', () => {
  const usual = groups.filter((group) => group !== 'functions')
  expect([...readOptions([]).only]).toEqual(usual)
  expect([...readOptions(['--only', 'cold,functions']).only]).toEqual(['cold', 'functions'])
  expect([...readOptions(['--only', groups.join(',')]).only]).toEqual(groups)
})

it('writes costs only where functions are measured', () => {
  expect(readOptions(['--only', 'functions', '--write-costs'])).toMatchObject({
    write: false,
    writeCosts: true,
  })
  for (const args of [['--write-costs'], ['--only', 'cold', '--write-costs']])
    expect(() => readOptions(args)).toThrow(UsageError)
})

it('takes a number of spawns, for every kind of start', () => {
  expect(readOptions([])).toMatchObject({ spawns: 40, starts: 10 })
  expect(readOptions(['--spawns', '3'])).toMatchObject({ spawns: 3, starts: 3 })
  for (const none of ['0', '1.5', 'x', '', '1001'])
    expect(() => readOptions(['--spawns', none])).toThrow(/--spawns/)
})
