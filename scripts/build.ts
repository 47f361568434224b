import { join } from 'node:path'
import { bundlesOf, ensureBundles } from './build/current.ts'

const root = join(import.meta.dirname, '..')
const done = await ensureBundles(root)
console.log(`${done === 'built' ? 'built the functions into' : 'up to date:'} ${bundlesOf(root)}`)
