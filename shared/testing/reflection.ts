import {
  create,
  createFileRegistry,
  type DescMethod,
  type DescMethodUnary,
  fromBinary,
} from '@bufbuild/protobuf'
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { createClient } from '@connectrpc/connect'
import { createGrpcTransport } from '@connectrpc/connect-node'
import {
  ServerReflection,
  type ServerReflectionResponse,
} from '../generated/grpc/reflection/v1/reflection_pb.ts'

type Question = { case: 'listServices' | 'fileContainingSymbol'; value: string }
type Answer = ServerReflectionResponse['messageResponse']

/** What a client without any schema, as grpcurl, learns from a server that describes itself. */
export class Reflection {
  readonly #client: ReturnType<typeof createClient<typeof ServerReflection>>

  constructor(baseUrl: string) {
    this.#client = createClient(ServerReflection, createGrpcTransport({ baseUrl }))
  }

  async services(): Promise<readonly string[]> {
    const answer = await this.ask({ case: 'listServices', value: '*' })
    if (answer.case !== 'listServicesResponse') throw new Error(`not a list: ${answer.case}`)
    return answer.value.service.map(({ name }) => name)
  }

  /** The first unary method of a service, made of nothing but the server's own description. */
  async unaryOf(service: string): Promise<DescMethodUnary> {
    const answer = await this.ask({ case: 'fileContainingSymbol', value: service })
    if (answer.case !== 'fileDescriptorResponse') throw new Error(`not a description: ${answer.case}`)
    const file = answer.value.fileDescriptorProto.map((one) => fromBinary(FileDescriptorProtoSchema, one))
    const found = createFileRegistry(create(FileDescriptorSetSchema, { file })).getService(service)
    const method = found?.methods.find(isUnary)
    if (!method) throw new Error(`${service} has no unary method`)
    return method
  }

  async ask(messageRequest: Question): Promise<Answer> {
    async function* once() {
      yield { messageRequest }
    }
    for await (const { messageResponse } of this.#client.serverReflectionInfo(once())) return messageResponse
    throw new Error('no answer')
  }
}

const isUnary = (method: DescMethod): method is DescMethodUnary => method.methodKind === 'unary'
