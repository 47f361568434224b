/** What a reader should know before the first request; Markdown. */
export const description = `Students, courses, and the enrolments between them.

- **Key.** Send it in the header \`x-api-key\`. Only what is under *platform* is open to anybody.
- **Writing.** A whole resource is sent with POST or PUT. PATCH takes a JSON merge patch. Every answer has the
  resource as it is now, and its \`ETag\`: send it back in \`If-Match\`, and nobody's change is overwritten unseen.
- **Enrolling.** Put course ids into a student, or student ids into a course. The other side follows within
  milliseconds, or turns the enrolment down: \`/{id}/enrolments\` shows each one *pending*, *confirmed* or *rejected*, and why.
- **Reading.** Lists come in pages: follow \`next_cursor\`, or the header \`Link\`. \`HEAD\` works wherever \`GET\` does, and
  \`OPTIONS\` answers \`Allow\`.
- **Text** is trimmed and brought to Unicode's NFC; its length counts code points.
- **Errors** are problem details (RFC 9457): a closed \`code\`, all the \`errors\` at once with JSON pointers, and a
  \`trace_id\`. An unknown query parameter is an error, and so is an unknown field. A method that a path does not have is
  answered 405.`
