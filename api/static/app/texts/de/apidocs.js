// German of `en/apidocs.js`.

/** @type {import("../../base/texts.js").Translation<typeof import("../en/apidocs.js").APIDOCS>} */
export const APIDOCS = {
  "apidocs.title": "{name} API",
  "apidocs.contents": "Inhalt",
  "apidocs.loading": "Wird geladen …",
  "apidocs.parameters": "Parameter",
  "apidocs.body": "Body",
  "apidocs.answers": "Antworten",
  "apidocs.public": "öffentlich",
  "apidocs.or": " oder ",
  "apidocs.list": "Liste von {of}",
  "apidocs.default": "Vorgabe {value}.",
  "apidocs.any": "beliebig",
  "apidocs.failed": "Die Beschreibung lässt sich nicht laden: {error}",
};
