// Chooses the time zone that the browser knows, where the person has not chosen one.
"use strict";
const zones = document.getElementById("timezone");
const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
// Browsers that tell nothing about a person tell UTC.
const told = here && here !== "UTC" && !here.startsWith("Etc/");
if (zones && told && zones.dataset.guess === "yes") {
  const known = [...zones.options].some((option) => option.value === here);
  if (!known) zones.add(new Option(here.replaceAll("_", " "), here));
  zones.value = here;
}
