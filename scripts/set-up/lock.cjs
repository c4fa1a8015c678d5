'use strict';

const fs = require('node:fs');
const os = require('node:os');

/**
 * Age in milliseconds at which a lock file without a process id is stale. A process writes its id into the lock file
 * right after it has created the file. If the id is still missing at this age, the process has died.
 */
const NAMELESS_AFTER_MS = 5_000;

/**
 * Runs one task at a time across processes; see lock.d.cts. This is plain JavaScript without any packages, because the
 * installation of the packages is itself a task that needs the lock.
 */
async function withLock(file, options, task) {
  const { onWait, staleAfterMs = 30_000, pollMs = 500 } = options;
  let mine = nameOf([process.pid]);
  for (let reported = false; !create(file, mine);) {
    const holder = readText(file);
    if (holder === undefined) continue;
    if (isStale(file, holder, staleAfterMs)) {
      removeStale(file);
      continue;
    }
    if (!reported) onWait?.(describeHolder(holder));
    reported = true;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  const beat = setInterval(() => touch(file), Math.max(staleAfterMs / 6, 50));
  beat.unref();
  try {
    return await task((pid) => {
      mine = nameOf([process.pid, pid]);
      fs.writeFileSync(file, mine);
    });
  } finally {
    clearInterval(beat);
    if (readText(file) === mine) fs.rmSync(file, { force: true });
  }
}

function create(file, content) {
  try {
    fs.writeFileSync(file, content, { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

function isStale(file, holder, staleAfterMs) {
  const { pids, host } = parseHolder(holder);
  if (host === os.hostname() && !pids.some(isAlive)) return true;
  // The process ids in the lock file are not enough. If the lock's holder runs on another machine that shares the
  // folder, its process cannot be checked here. If the holder has ended, the system may have given its process id to
  // another process. So also check how long ago the holder last touched the file.
  const touched = fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  return (
    touched !== undefined && Date.now() - touched > (pids.length === 0 ? NAMELESS_AFTER_MS : staleAfterMs)
  );
}

/** Deletes a stale lock file. Renames it first: if two processes do this at the same time, only one rename succeeds. */
function removeStale(file) {
  const renamed = `${file}.${process.pid}.stale`;
  try {
    fs.renameSync(file, renamed);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  fs.rmSync(renamed, { force: true });
}

function nameOf(pids) {
  return JSON.stringify({ pids, host: os.hostname() });
}

function parseHolder(text) {
  try {
    const { pids, host } = JSON.parse(text);
    return Array.isArray(pids) ? { pids, host } : { pids: [] };
  } catch {
    return { pids: [] };
  }
}

function describeHolder(text) {
  const { pids, host } = parseHolder(text);
  return pids.length === 0 ? 'another process' : `process ${pids[0]} on ${host}`;
}

/** Returns whether a process with this id runs on this machine. */
function isAlive(pid) {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function touch(file) {
  const now = new Date();
  try {
    fs.utimesSync(file, now, now);
  } catch {
    // Ignore the error: the lock file was deleted, possibly because another process is taking over the lock.
  }
}

function readText(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

module.exports = { isAlive, withLock };
