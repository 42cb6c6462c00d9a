// What the search field finds.
import { html } from '../html.js';
export const SearchResults = () => html``;
