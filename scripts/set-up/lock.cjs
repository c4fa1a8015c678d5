'use strict';

const fs = require('node:fs');
const os = require('node:os');

/**
 * A holder writes its name right after it has created the lock file. If the name is still missing when the file is this
 * old (in milliseconds), the holder died in between.
 */
const NAMELESS_AFTER_MS = 5_000;

/**
 * Runs one task at a time across processes; see lock.d.cts. It is plain JavaScript without packages, because the first
 * task that needs the lock installs the packages.
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
  // Checking whether the holder's processes run is not enough: the holder may run on another machine that shares the
  // folder, or it was killed and its process id belongs to another process by now. So check the file's age too.
  const touched = fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  return (
    touched !== undefined && Date.now() - touched > (pids.length === 0 ? NAMELESS_AFTER_MS : staleAfterMs)
  );
}

/** Removes a stale lock. Renames it first, so that only one of two processes removes it. */
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

/** Whether a process with this id runs on this machine. */
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
    // The lock was taken over or deleted.
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
