// The one place that knows where preact is: a file with preact, its hooks and htm. Version-less, and without an
// import map, which would be an inline script: the Content-Security-Policy forbids those.
export * from '/_static/htm/preact/standalone.module.js';
