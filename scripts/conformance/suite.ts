import { inject } from 'vitest'
import { gatewayConformance } from '../../shared/testing/http-conformance/gateway.ts'
import { GatewayTarget } from '../../shared/testing/http-conformance/gateway-target.ts'
import { httpConformance } from '../../shared/testing/http-conformance/http-conformance.ts'

const { url, key } = inject('gateway')

httpConformance(url, async () => new GatewayTarget(url, key))
gatewayConformance(new GatewayTarget(url, key))
