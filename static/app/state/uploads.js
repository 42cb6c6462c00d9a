// Files on their way up. Each is a row in the outbox, and is said when the server has it.

import { WireError } from '../connection.js';
import { bearer } from '../session.js';
import { addressOf } from './keys.js';
import { add, discard, newCid, peekPending, pump, update } from './outbox.js';

const AT_ONCE = 3;
/** cid → the file and its request; these cannot be in the outbox, which is stored as JSON. */
const jobs = new Map();

/** Uploads these files and sends each as a message, in their order. @param {Iterable<File>} files */
export async function sendFiles(key, files) {
  const chosen = [...files];
  const pictures = await Promise.all(chosen.map(look));
  const together = newCid();
  chosen.forEach((file, index) => {
    const cid = newCid();
    jobs.set(cid, { file, request: null });
    const upload = { name: file.name || 'file', size: file.size, type: file.type, ...pictures[index], progress: 0 };
    add({ cid, key, together, text: '', state: 'uploading', time: Date.now(), upload });
  });
  next();
}

/** What a picture looks like, and the room it takes; nothing of what is none. */
async function look(file) {
  if (!/^image\/(png|jpeg|gif|webp)$/.test(file.type)) return {};
  const image = new Image();
  image.src = URL.createObjectURL(file);
  try {
    await new Promise((onload, onerror) => Object.assign(image, { onload, onerror }));
    return { preview: image.src, width: image.naturalWidth, height: image.naturalHeight };
  } catch {
    URL.revokeObjectURL(image.src);
    return {};
  }
}

export function cancelUpload(cid) {
  jobs.get(cid)?.request?.abort();
  jobs.delete(cid);
  discard(cid);
  next();
}

export function uploadAgain(cid) {
  const one = peekPending(cid);
  update(cid, { state: 'uploading', error: undefined, upload: { ...one.upload, progress: 0 } });
  next();
}

export const canUploadAgain = (cid) => jobs.has(cid);

/** Begins what may begin now, and says what waits no longer for what was chosen before it. */
function next() {
  pump();
  const running = [...jobs.values()].filter((job) => job.request).length;
  const idle = [...jobs].filter(([cid, job]) => !job.request && peekPending(cid)?.state === 'uploading');
  for (const [cid, job] of idle.slice(0, Math.max(0, AT_ONCE - running))) begin(cid, job);
}

async function begin(cid, job) {
  const { key, upload } = peekPending(cid);
  const progress = (share) => update(cid, { upload: { ...peekPending(cid)?.upload, progress: share } });
  try {
    const file = await postFile(job.file, { purpose: 'message', ...addressOf(key) }, progress, (request) => (job.request = request));
    jobs.delete(cid);
    update(cid, { file: { ...file, name: file.name ?? upload.name }, state: 'waiting' });
  } catch (error) {
    job.request = null;
    if (peekPending(cid)) update(cid, { state: 'failed', error });
  }
  next();
}

/**
 * `POST /api/files`. By XMLHttpRequest, since `fetch` cannot tell how far an upload is.
 * @param {File} file
 * @param {Record<string, any>} fields such as `{purpose: 'avatar'}`
 * @param {(share: number) => void} [onProgress] 0 to 1
 * @param {(request: XMLHttpRequest) => void} [onStart]
 * @returns {Promise<{url: string, name: string, size: number, type: string, width?: number, height?: number, thumb?: string}>}
 */
export function postFile(file, fields, onProgress = () => {}, onStart = () => {}) {
  return new Promise((resolve, reject) => {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, String(value));
    form.append('file', file, file.name || 'file');
    const request = new XMLHttpRequest();
    request.open('POST', '/api/files');
    request.setRequestHeader('Authorization', `Bearer ${bearer()}`);
    request.responseType = 'json';
    let shown = 0;
    request.upload.onprogress = ({ loaded, total, lengthComputable }) => {
      const share = lengthComputable ? loaded / total : 0;
      if (share - shown < 0.01 && share < 1) return;
      shown = share;
      onProgress(share);
    };
    request.onload = () => {
      if (request.status === 200 && request.response?.url) resolve(request.response);
      else reject(new WireError({ code: request.status, ...request.response }));
    };
    request.onerror = () => reject(new WireError({ reason: 'offline' }));
    request.onabort = () => reject(new WireError({ reason: 'aborted' }));
    onStart(request);
    request.send(form);
  });
}
