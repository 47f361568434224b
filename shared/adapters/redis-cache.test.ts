import { redisSubject } from '../testing/cache-contract/redis-subject.ts'
import { cacheContract } from '../testing/cache-contract.ts'
import { noLeakedConnection } from '../testing/mongo.ts'

noLeakedConnection()

cacheContract('the cache on Redis', redisSubject)
