import { create, type DescFile, toBinary } from '@bufbuild/protobuf'
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt'
import type { ConnectRouter } from '@connectrpc/connect'
import { Code, ConnectError } from '@connectrpc/connect'
import {
  file_grpc_health_v1_health,
  Health,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '../generated/grpc/health/v1/health_pb.ts'
import {
  file_grpc_reflection_v1_reflection,
  ServerReflection,
  type ServerReflectionRequest,
  ServerReflectionResponseSchema,
} from '../generated/grpc/reflection/v1/reflection_pb.ts'
import { file_registrar_v1_lookups } from '../generated/registrar/v1/lookups_pb.ts'
import { isDraining, untilDraining } from './operational.ts'

const files: readonly DescFile[] = [
  file_registrar_v1_lookups,
  file_grpc_health_v1_health,
  file_grpc_reflection_v1_reflection,
]

/** grpc.health.v1 and grpc.reflection.v1, of this service and themselves: what probes and `grpcurl` ask for. */
export function healthAndReflection(router: ConnectRouter, own: string): void {
  const services = [own, Health.typeName, ServerReflection.typeName]
  const statusOf = (service: string): ServingStatus => {
    if (service === '' || services.includes(service))
      return isDraining() ? ServingStatus.NOT_SERVING : ServingStatus.SERVING
    throw new ConnectError(`there is no service ${service}`, Code.NotFound)
  }
  router.service(Health, {
    check: ({ service }) => ({ status: statusOf(service) }),
    async *watch({ service }, { signal }) {
      yield { status: statusOf(service) }
      // The stream stays open until there is something else to say, as callers expect.
      await untilDraining(signal)
      if (!signal.aborted) yield { status: statusOf(service) }
    },
  })
  router.service(ServerReflection, {
    async *serverReflectionInfo(requests) {
      for await (const request of requests) yield reflect(request, services)
    },
  })
}

function reflect(request: ServerReflectionRequest, services: readonly string[]) {
  const answer = (messageResponse: NonNullable<Parameters<typeof response>[1]>) =>
    response(request, messageResponse)
  const { messageRequest } = request
  const missing = {
    case: 'errorResponse' as const,
    value: { errorCode: Code.NotFound, errorMessage: 'not found' },
  }
  switch (messageRequest.case) {
    case 'listServices':
      return answer({
        case: 'listServicesResponse',
        value: { service: services.map((name) => ({ name })) },
      })
    case 'fileByFilename': {
      const found = files.find((file) => `${file.name}.proto` === messageRequest.value)
      return answer(found ? descriptors(found) : missing)
    }
    case 'fileContainingSymbol': {
      const found = files.find((file) => defines(file, messageRequest.value))
      return answer(found ? descriptors(found) : missing)
    }
    case 'fileContainingExtension':
    case 'allExtensionNumbersOfType':
    case undefined:
      return answer(missing)
    default:
      return messageRequest satisfies never
  }
}

function response(
  originalRequest: ServerReflectionRequest,
  messageResponse: NonNullable<
    Parameters<typeof create<typeof ServerReflectionResponseSchema>>[1]
  >['messageResponse'],
) {
  return create(ServerReflectionResponseSchema, {
    validHost: originalRequest.host,
    originalRequest,
    ...(messageResponse && { messageResponse }),
  })
}

function defines({ services, messages, enums }: DescFile, symbol: string): boolean {
  if (
    [...messages, ...enums].some(({ typeName }) => symbol === typeName || symbol.startsWith(`${typeName}.`))
  )
    return true
  return services.some(({ typeName }) => symbol === typeName || symbol.startsWith(`${typeName}.`))
}

function descriptors(file: DescFile) {
  return {
    case: 'fileDescriptorResponse' as const,
    value: { fileDescriptorProto: [toBinary(FileDescriptorProtoSchema, file.proto)] },
  }
}
