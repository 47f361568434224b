import { join } from 'node:path'
import { bundleFunctions } from './build/bundle.ts'

const root = join(import.meta.dirname, '..')
const functions = await bundleFunctions(root, join(root, 'dist'))
console.log(`built ${functions.length} functions into dist/`)
