/** Answers of @connections that are not 2xx, by status, as the SDK's model names them. */
export const managementErrors: Readonly<
  Record<number, { readonly type: string; readonly body: string }>
> = {
  400: { type: 'BadRequestException', body: '{"message":"Invalid connectionId"}' },
  403: { type: 'ForbiddenException', body: '{"message":"Forbidden"}' },
  // A connection that is gone is answered without a body.
  410: { type: 'GoneException', body: '' },
  413: { type: 'PayloadTooLargeException', body: '{"message":"Payload too large"}' },
  429: { type: 'LimitExceededException', body: '{"message":"Too Many Requests"}' },
  500: { type: 'InternalServerErrorException', body: '{"message":"Internal server error"}' },
};
