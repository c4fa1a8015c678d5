/** Facts about a store that the host of its S3 endpoint reveals. */
export interface S3Host {
  /** Region for signing requests to the host. Undefined if the host's name contains no region. */
  readonly region: string | undefined;
  readonly isAws: boolean;
  /** True for `s3.amazonaws.com`, which works for buckets in any region. */
  readonly isAnyRegion: boolean;
  /** Whether the host can also be reached over IPv6. Undefined if the host's name does not show this. */
  readonly dualstack: boolean | undefined;
  /** True for a host that accepts bucket names only as a part of the host name, not in the path. */
  readonly onlyVirtual: boolean;
}

/**
 * Hosts of stores other than Amazon's. Each pattern either has a group that matches the region, or is followed by the
 * store's only region.
 */
const regionsByHost: readonly [RegExp, string?][] = [
  [/^s3\.([a-z0-9-]+)\.(?:backblazeb2\.com|wasabisys\.com|scw\.cloud)$/],
  [/^[a-z0-9]+\.(?:[a-z]+\.)?r2\.cloudflarestorage\.com$/, 'auto'],
];

/** Patterns of Amazon's hosts that serve buckets. A group in a pattern matches the region. */
const amazonForms: readonly { readonly form: RegExp; readonly host: Partial<S3Host> }[] = [
  { form: /^s3\.amazonaws\.com$/, host: { isAnyRegion: true } },
  { form: /^s3-external-1\.amazonaws\.com$/, host: { region: 'us-east-1' } },
  { form: /^s3-accelerate\.amazonaws\.com$/, host: { onlyVirtual: true } },
  { form: /^s3-accelerate\.dualstack\.amazonaws\.com$/, host: { onlyVirtual: true, dualstack: true } },
  {
    form: /^s3(?:-fips)?\.dualstack\.([a-z]{2,4}-[a-z-]+-\d)\.amazonaws\.com(?:\.cn)?$/,
    host: { dualstack: true },
  },
  { form: /^s3(?:-fips)?[.-]([a-z]{2,4}-[a-z-]+-\d)\.amazonaws\.com(?:\.cn)?$/, host: {} },
  {
    form: /^(?:bucket|accesspoint)\.vpce-[a-z0-9-]+\.s3\.([a-z]{2,4}-[a-z-]+-\d)\.vpce\.amazonaws\.com(?:\.cn)?$/,
    host: { dualstack: false },
  },
];

/**
 * Returns the facts that a host's name reveals. The host must be given without its port. Returns undefined for a host
 * of Amazon that does not serve buckets.
 */
export function describeHost(host: string): S3Host | undefined {
  const unknown: S3Host = {
    region: undefined,
    isAws: false,
    isAnyRegion: false,
    dualstack: undefined,
    onlyVirtual: false,
  };
  for (const { form, host: known } of amazonForms) {
    const match = form.exec(host);
    if (match !== null) return { ...unknown, isAws: true, region: match[1], ...known };
  }
  if (/\.amazonaws\.com(?:\.cn)?$/.test(host)) return undefined;
  for (const [form, region] of regionsByHost) {
    const match = form.exec(host);
    if (match !== null) return { ...unknown, region: region ?? match[1] };
  }
  return unknown;
}

/** Parts of an endpoint as in the settings: `https://host:port`. The scheme and the port may be missing. */
export interface WrittenEndpoint {
  readonly scheme: string | undefined;
  /** In lower case; an IPv6 address with its brackets. */
  readonly host: string;
  readonly port: string | undefined;
}

/** Splits an endpoint into its parts. Returns undefined if it is not a host with an optional scheme and port. */
export function splitEndpoint(endpoint: string): WrittenEndpoint | undefined {
  const match = /^(?:(https?):\/\/)?(\[[0-9a-f:.]+\]|[^/\s@:?#[\]]+)(?::(\d{1,5}))?$/i.exec(endpoint);
  if (match === null) return undefined;
  const [, scheme, host = '', port] = match;
  if (!URL.canParse(`https://${host}:${port ?? '443'}`)) return undefined;
  return { scheme, host: host.toLowerCase(), port };
}

/** Returns whether a host is an IP address rather than a name. */
export function isAddress(host: string): boolean {
  return host.startsWith('[') || /^\d+\.\d+\.\d+\.\d+$/.test(host);
}
