import type { StatusView } from '../../api/contract';

/**
 * Shows banners if newer data is being loaded, if newer data could not be loaded, or if parts of the status are
 * missing.
 */
export function Banners({ status }: { readonly status: StatusView | undefined }) {
  const { ingesting, refused, generation } = status?.served ?? {};
  return (
    <div class="banners">
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
