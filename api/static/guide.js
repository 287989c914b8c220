// Lets a page of the guide wear the colours that were chosen on the dashboard. Its words are the guide's own.

const scheme = localStorage.getItem("lamplighter.scheme");
if (scheme !== null) document.documentElement.dataset.scheme = scheme;
