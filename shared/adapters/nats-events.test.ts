import { natsSubject } from '../testing/events-contract/nats-subject.ts'
import { eventsContract } from '../testing/events-contract.ts'
import { noLeakedConnection } from '../testing/mongo.ts'

noLeakedConnection()

eventsContract('the events on NATS JetStream', natsSubject)
