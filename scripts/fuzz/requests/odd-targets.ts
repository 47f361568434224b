import fc from 'fast-check'

/** Paths and queries that no link leads to. */
export const oddTarget = fc.oneof(
  fc.constantFrom(
    ...[
      '/',
      '//',
      '/api',
      '/api/',
      '/api/students/',
      '//api//students',
      '/API/students',
      '/api/students;a=b',
      '/api/./students',
    ],
    ...[
      '/api/students/../courses',
      '/api/students/%2e%2e/courses',
      '/api/students/%2F',
      '/api/students/%00',
      '/api/courses/%ff',
    ],
    ...[
      '/api/students?',
      '/api/students??',
      '/api/students?&&&',
      '/api/students?=',
      '/api/students?%',
      '/api/students?limit',
      '/api/students?__proto__=1',
    ],
    ...[
      '/api/students#a',
      '/api/students?limit=1&limit=2',
      '/api/students?sort=-&sort',
      '/api/courses?kind=%00',
      '/api/courses?name[$ne]=1',
    ],
    ...[
      '/favicon.ico',
      '/.git/config',
      '/api/%73tudents',
      '/api/students/health/',
      '/api/students/a/b/c/d',
      '*',
    ],
  ),
  fc.webPath({ size: 'medium' }).map((path) => `/api${path || '/'}`),
  fc
    .tuple(fc.constantFrom('/api/students', '/api/courses'), fc.webQueryParameters())
    .map(([path, query]) => `${path}?${query}`),
)
