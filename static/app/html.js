// `html` templates instead of JSX: there is no build step. Everything a component needs comes from here.

import { h } from 'preact';
import htm from 'htm';

export { Fragment, render, createContext } from 'preact';
export { useState, useEffect, useLayoutEffect, useRef, useMemo, useCallback, useId, useContext } from 'preact/hooks';
export { signal, computed, effect, batch, untracked, useSignal, useComputed, useSignalEffect } from '@preact/signals';

export const html = htm.bind(h);

/** Class names: texts as they are, of an object those keys whose value holds. */
export function cls(...parts) {
  return parts
    .flatMap((part) => (part && typeof part === 'object' ? Object.keys(part).filter((key) => part[key]) : part || []))
    .join(' ');
}
