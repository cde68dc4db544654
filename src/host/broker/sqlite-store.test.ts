import { openHiveDatabase } from '../database.ts'
import { testStore } from './conformance.ts'
import { SqliteStore } from './sqlite-store.ts'

testStore('sqlite', async () => new SqliteStore({ db: openHiveDatabase(':memory:'), inboxCap: 1_000, maxHops: 16 }))
