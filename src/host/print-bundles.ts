import { join } from 'node:path'
import { bundlePrograms } from './bundle.ts'

/** Prints the bundles of this checkout as JSON. */
process.stdout.write(JSON.stringify(await bundlePrograms(join(import.meta.dirname, '..'))))
