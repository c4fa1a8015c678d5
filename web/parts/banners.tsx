import type { HoldView, StatusView } from '../../api/contract';
import { age, moment } from '../format';

/**
 * Shows banners if the federation is on hold, if newer data is being loaded or could not be loaded, or if parts of the
 * status are missing.
 */
export function Banners({ status }: { readonly status: StatusView | undefined }) {
  const { ingesting, refused, generation } = status?.served ?? {};
  return (
    <div class="banners">
      {status?.hold !== undefined && <OnHold {...status.hold} />}
      {ingesting !== undefined && ingesting.done < ingesting.of && (
        <p class="banner" role="status">
          {ingesting.generation === undefined ? 'Loading' : `Loading generation ${ingesting.generation}`}:{' '}
          {ingesting.done} of {ingesting.of} windows.{' '}
          <progress max={ingesting.of} value={ingesting.done} aria-label="Windows loaded" />
        </p>
      )}
      {refused !== undefined && (
        <p class="banner bad" role="alert">
          {refused.generation === undefined ? 'The current files' : `Generation ${refused.generation}`} could
          not be loaded: {refused.message} Showing{' '}
          {generation === undefined ? 'the previous data' : `generation ${generation}`}.
        </p>
      )}
      {(status?.missing ?? []).map((sentence) => (
        <p key={sentence} class="banner">
          {sentence}
        </p>
      ))}
    </div>
  );
}

function OnHold({ generation, by, reason, at }: HoldView) {
  return (
    <p class="banner" role="status">
      <strong>On hold.</strong> {by} rolled the federation back to generation {generation},{' '}
      <time dateTime={at} title={`${moment(at)} UTC`}>
        {age(at, Date.now())} ago
      </time>
      {reason === '' ? '' : `: “${reason}”`}. Newer data of the clusters is not combined until an operator
      runs <code>federated-etl federate --resume</code>.
    </p>
  );
}
