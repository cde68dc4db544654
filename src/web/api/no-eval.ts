import { z } from 'zod'

// Before any schema is made: zod would try whether it may make code, which the policy of the page reports as an attack.
z.config({ jitless: true })
