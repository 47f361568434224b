document.documentElement.classList.toggle(
  'dark-mode',
  window.matchMedia('(prefers-color-scheme: dark)').matches,
)

// Starts the viewer on the page: https://swagger.io/docs/open-source-tools/swagger-ui/usage/configuration/
window.SwaggerUIBundle({
  url: document.querySelector('#docs').dataset.document,
  dom_id: '#docs',
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: 'list',
  defaultModelsExpandDepth: 0,
  defaultModelExpandDepth: 2,
  // Otherwise the description would be sent to a server on the internet.
  validatorUrl: null,
})
