import { describe, expect, it } from 'vitest'
import { Api, expectProblem } from './expect.ts'
import { courses, students, unique } from './services.ts'
import type { Target } from './target.ts'

const all = ['/name', '/first_name', '/last_name']

/** No two students are called the same. */
export function names(target: () => Target): void {
  describe('names of students', () => {
    const api = () => new Api(target(), students)

    it('go to exactly one of many who want them', async () => {
      for (let round = 0; round < 3; round++) {
        const body = students.make()
        const replies = await Promise.all(Array.from({ length: 10 }, () => api().post(body)))
        expect(replies.filter(({ status }) => status === 201).length).toBe(1)
        for (const reply of replies.filter(({ status }) => status !== 201))
          expectProblem(reply, 'conflict', all)
        expect((await api().get(`?name=${body['name']}`)).many.length).toBe(1)
      }
    })

    it('are compared as they are kept', async () => {
      const name = `${unique().slice(0, 10)}é`
      await api().create({ name })
      expectProblem(await api().post(students.make({ name: `  ${name.normalize('NFD')} ` })), 'conflict', all)
      expect((await api().post(students.make({ name: name.toUpperCase() }))).status).toBe(201)
      expect((await api().post(students.make({ name, last_name: 'Other' }))).status).toBe(201)
    })

    it('cannot be taken by PUT or PATCH either', async () => {
      const [taken, other] = [await api().create(), await api().create()]
      const { name } = taken.one
      expectProblem(await api().put(other.id, students.make({ name })), 'conflict', all)
      expectProblem(await api().patch(other.id, { name }), 'conflict', all)
      expect((await api().get(`/${other.id}`)).one).toEqual(other.one)
      expect((await api().patch(taken.id, { name })).etag).toBe(taken.etag)
      const wanted = unique()
      const ids = await Promise.all(Array.from({ length: 5 }, async () => (await api().create()).id))
      const replies = await Promise.all(ids.map((id) => api().patch(id, { name: wanted })))
      expect(replies.map(({ status }) => status).toSorted()).toEqual([200, 409, 409, 409, 409])
    })

    it('are free again after a deletion and after a change', async () => {
      const { id, one } = await api().create()
      const { name } = one
      await api().delete(id)
      const again = await api().post(students.make({ name }))
      expect(again.status).toBe(201)
      expect(again.id).not.toBe(id)
      await api().patch(again.id, { name: unique() })
      expect((await api().post(students.make({ name }))).status).toBe(201)
    })
  })

  it('courses may be called the same', async () => {
    const api = new Api(target(), courses)
    const body = courses.make()
    const replies = await Promise.all([api.post(body), api.post(body)])
    expect(replies.map(({ status }) => status)).toEqual([201, 201])
  })
}
