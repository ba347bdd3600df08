/**
 * What API Gateway and Lambda hand to the functions, as far as we read it ("Set up an AWS Lambda integration for a
 * WebSocket API", "Invoking Lambda function URLs", payload format 2.0, "Lambda proxy integrations in API Gateway").
 * Everything a client chose is hostile.
 */

/** What the authorizer said about a connection; comes back with every later event. Values are text, numbers or booleans only. */
export type AuthorizerContext = Readonly<Record<string, string | number | boolean>>;

export interface WebSocketRequestContext {
  readonly routeKey: string;
  readonly eventType: 'CONNECT' | 'MESSAGE' | 'DISCONNECT';
  readonly connectionId: string;
  /** Epoch milliseconds. */
  readonly connectedAt: number;
  /** Epoch milliseconds. */
  readonly requestTimeEpoch: number;
  readonly requestId: string;
  readonly stage: string;
  readonly domainName: string;
  readonly apiId: string;
  readonly identity?: { readonly sourceIp?: string; readonly userAgent?: string };
  readonly authorizer?: AuthorizerContext;
  readonly messageId?: string;
  readonly disconnectStatusCode?: number;
  readonly disconnectReason?: string;
}

/** Header names in the client's case. */
type Fields = Readonly<Record<string, string | undefined>>;

export interface AuthorizerEvent {
  readonly type: 'REQUEST';
  readonly methodArn: string;
  readonly headers?: Fields;
  readonly queryStringParameters?: Fields | null;
  readonly requestContext: WebSocketRequestContext;
}

export interface AuthorizerResult {
  readonly principalId: string;
  readonly policyDocument: {
    readonly Version: '2012-10-17';
    readonly Statement: readonly {
      readonly Action: 'execute-api:Invoke';
      readonly Effect: 'Allow' | 'Deny';
      readonly Resource: string;
    }[];
  };
  readonly context?: AuthorizerContext;
}

export interface ConnectEvent {
  readonly headers?: Fields;
  readonly queryStringParameters?: Fields | null;
  readonly requestContext: WebSocketRequestContext;
  readonly isBase64Encoded: boolean;
}

export interface MessageEvent {
  readonly body?: string;
  readonly requestContext: WebSocketRequestContext;
  readonly isBase64Encoded: boolean;
}

export interface DisconnectEvent {
  readonly requestContext: WebSocketRequestContext;
  readonly isBase64Encoded: boolean;
}

/** The answer of a WebSocket route: its status counts at `$connect`, where it becomes the handshake's. */
export interface RouteResult {
  readonly statusCode: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A function URL's request. Names of headers are lower-case; values of one name are joined by commas. */
export interface HttpEvent {
  readonly version: '2.0';
  readonly rawPath: string;
  readonly rawQueryString: string;
  readonly cookies?: readonly string[];
  readonly headers: Fields;
  readonly requestContext: {
    readonly domainName: string;
    readonly requestId: string;
    readonly timeEpoch: number;
    readonly http: {
      readonly method: string;
      readonly path: string;
      readonly protocol: string;
      readonly sourceIp: string;
      readonly userAgent?: string;
    };
  };
  readonly body?: string;
  readonly isBase64Encoded: boolean;
}

/**
 * A request of a REST API, its stage taken off the path. Path as it came, percent-encoded (seen in live events:
 * middleapi/standard-server 93, localstack 7728); parameters of the query decoded, and not in their order.
 */
export interface RestEvent {
  readonly httpMethod: string;
  readonly path: string;
  /** In the client's case, a value a line. */
  readonly multiValueHeaders: MultiFields | null;
  readonly multiValueQueryStringParameters: MultiFields | null;
  readonly requestContext?: { readonly identity?: { readonly sourceIp?: string } };
  readonly body: string | null;
  readonly isBase64Encoded: boolean;
}

type MultiFields = Readonly<Record<string, readonly string[] | undefined>>;

/** What comes through a caller's door, whichever it is. */
export type CallerEvent = HttpEvent | RestEvent;

/** The head of a streamed answer (`awslambda.HttpResponseStream.from`), or with `body` a buffered one. */
export interface HttpResultHead {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  /** `Set-Cookie`, the only header that may repeat. */
  readonly cookies?: readonly string[];
}

export interface BufferedHttpResult extends HttpResultHead {
  readonly body: string;
  readonly isBase64Encoded: boolean;
}

/** The part of a function's context that we read. */
export interface LambdaContext {
  readonly awsRequestId: string;
  getRemainingTimeInMillis(): number;
}
