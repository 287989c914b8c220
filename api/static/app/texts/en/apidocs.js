// The page that shows the API. What the API says of itself is English.

export const APIDOCS = /** @type {const} */ ({
  "apidocs.title": "{name} API",
  "apidocs.contents": "Contents",
  "apidocs.loading": "Loading…",
  "apidocs.parameters": "Parameters",
  "apidocs.body": "Body",
  "apidocs.answers": "Answers",
  "apidocs.public": "public",
  "apidocs.or": " or ",
  "apidocs.list": "list of {of}",
  "apidocs.default": "Default {value}.",
  "apidocs.any": "any",
  "apidocs.failed": "The description cannot be loaded: {error}",
});
