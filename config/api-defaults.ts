/** Default values of settings of the API. They are here because the help shows them, which needs no settings. */
export const apiDefaults = { listen: '127.0.0.1:9003', currency: 'USD' } as const;
