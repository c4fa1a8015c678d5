export { commit } from './commit';
export { federateOnPush } from './federate-on-push';
export { federation } from './federation';
export { mergeWindows } from './merge-windows';
export { pull } from './pull';
export { push } from './push';
export { roster } from './roster';
