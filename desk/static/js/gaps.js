// Gaps «… name» in a suggested text: what an operator has to fill in before it can be sent.
const GAP = /«…\s?[^«»\n]{0,60}»/;

export const hasGap = (text) => GAP.test(text);

// Selects the first gap of a field, so that typing fills it; returns whether there is one.
export function selectGap(field) {
  const found = GAP.exec(field.value);
  if (!found) return false;
  field.focus();
  field.setSelectionRange(found.index, found.index + found[0].length);
  return true;
}
