// Made from openapi.json by `make client`; do not edit.
// oxlint-disable max-lines

export interface paths {
    "/recommendations/{userId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Items for one user
         * @description An unknown user gets a cold start, never an error.
         */
        get: operations["getRecommendations"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/recommendations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Items for a user, a visitor or anybody, or a ranking of items that you name
         * @description Reads, as the GET does, and takes besides: what was touched in this moment, candidates to rank, no user at all. Nobody in particular gets a cold start.
         */
        post: operations["postRecommendations"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/rank": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * A ranking of items that you name
         * @description `POST /recommendations` with `candidates`, under a name of its own: the same fields, the same answer. Reads. For a user, a visitor or anybody.
         */
        post: operations["rankItems"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/items/{itemId}/similar": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Items that go with one item
         * @description The scenario `similar`, started from one item.
         */
        get: operations["getSimilarItems"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/popular": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What most people chose
         * @description The scenario `popular`, the same for everybody.
         */
        get: operations["getPopular"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Tell what users did
         * @description Each event is judged by itself. What is accepted is durable before the answer. When none can be kept, 400 says what is wrong with each.
         */
        post: operations["postEvents"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether the process answers */
        get: operations["getLive"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether requests are welcome */
        get: operations["getReady"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description Items for one user. */
        RecommendationsAnswer: {
            /** @description As in the header `x-request-id`. */
            requestId: string;
            /** @description Names this answer and no other, however often it was kept: events say by it which answer showed their item. */
            slateId: string;
            userId: string;
            scenario: string;
            /** @description The version of the bundle that answered. */
            bundle: string;
            /** @description `cold-start` when nothing is known of what the user did, and when the answer is the fallback that is the same for everybody. Known values: `personalised`, `cold-start`. A later release may add others. */
            strategy: "personalised" | "cold-start" | (string & {});
            /** @description Empty when every stage did its part. */
            degraded: components["schemas"]["Degradation"][];
            /** @description In the order to show them, each item once. */
            items: components["schemas"]["SlateItem"][];
            /** @description While more is left: `cursor` of the request for the next page. Absent where this is the last one, and where the pages have shown 500 items. */
            nextCursor?: string;
        };
        /** @description Items for a user, for a visitor, or for anybody. */
        PostRecommendationsAnswer: {
            /** @description As in the header `x-request-id`. */
            requestId: string;
            /** @description Names this answer and no other, however often it was kept: events say by it which answer showed their item. */
            slateId: string;
            /** @description Where the request named one. */
            userId?: string;
            scenario: string;
            /** @description The version of the bundle that answered. */
            bundle: string;
            /** @description `cold-start` when nothing is known of what the user did, and when the answer is the fallback that is the same for everybody. Known values: `personalised`, `cold-start`. A later release may add others. */
            strategy: "personalised" | "cold-start" | (string & {});
            /** @description Empty when every stage did its part. */
            degraded: components["schemas"]["Degradation"][];
            /** @description In the order to show them, each item once. */
            items: components["schemas"]["SlateItem"][];
            /** @description Where the request named candidates: those that the answer cannot have, in their order. What `limit` left out is in neither list. */
            dropped?: components["schemas"]["Dropped"][];
            /** @description While more is left: `cursor` of the request for the next page. Absent where this is the last one, and where the pages have shown 500 items. */
            nextCursor?: string;
        };
        /** @description Items that go with one item. */
        SimilarItemsAnswer: {
            /** @description As in the header `x-request-id`. */
            requestId: string;
            /** @description Names this answer and no other, however often it was kept: events say by it which answer showed their item. */
            slateId: string;
            /** @description The item that was asked about; it is not among the items. */
            itemId: string;
            scenario: string;
            /** @description The version of the bundle that answered. */
            bundle: string;
            /** @description Empty when every stage did its part. */
            degraded: components["schemas"]["Degradation"][];
            /** @description In the order to show them, each item once. */
            items: components["schemas"]["SlateItem"][];
        };
        /** @description What most people chose. */
        PopularAnswer: {
            /** @description As in the header `x-request-id`. */
            requestId: string;
            /** @description Names this answer and no other, however often it was kept: events say by it which answer showed their item. */
            slateId: string;
            scenario: string;
            /** @description The version of the bundle that answered. */
            bundle: string;
            /** @description Empty when every stage did its part. */
            degraded: components["schemas"]["Degradation"][];
            /** @description In the order to show them, each item once. */
            items: components["schemas"]["SlateItem"][];
        };
        /** @description What became of the events. */
        EventsAnswer: {
            /** @description Events that are kept now, on the disk. */
            accepted: number;
            /** @description Events that were kept before, by their eventId. */
            duplicates: number;
            /** @description Events that cannot be kept; sending them again gives the same. */
            refused: {
                /** @description The place in the list, from 0. */
                index: number;
                /** @description What is wrong with the event, for a person. */
                detail: string;
            }[];
        };
        /** @description One item of an answer. */
        SlateItem: {
            itemId: string;
            /** @description The place in this answer, from 1, without gaps: the order to show the items in, whatever their scores. */
            position: number;
            /** @description What ranking thinks of the item, rounded to 6 decimals. Comparable within one answer only. It descends over the items unless a rule of the scenario moved one. */
            score: number;
            attributes: components["schemas"]["Attributes"];
            /** @description With `explain=sources`. */
            sources?: components["schemas"]["SourceAttribution"][];
            /** @description With `explain=reasons`: what moved the item, in the order of the rules. The first `from` is its place by ranking, the last `to` its position; empty where nothing moved it. */
            reasons?: components["schemas"]["MoveReason"][];
            /** @description With `explain=features`: what the ranker saw, by feature name, rounded to 6 decimals. */
            features?: {
                [key: string]: number;
            };
        };
        /** @description What is known of the item; which attributes there are is the dataset’s choice. */
        Attributes: {
            [key: string]: string | number | boolean | string[];
        };
        /** @description A candidate source that found an item. */
        SourceAttribution: {
            /** @description The candidate source. */
            name: string;
            /** @description Its own score of the item, rounded to 6 decimals. */
            score: number;
            /** @description The place in its own list, from 1. */
            rank: number;
        };
        /** @description What one rule did to the place of an item. */
        MoveReason: {
            /** @description The rule of the scenario. */
            rule: string;
            /** @description Why, in a few words for people. */
            detail: string;
            /** @description The place before the rule. */
            from: number;
            /** @description The place after it. */
            to: number;
        };
        /** @description A stage that could not do its part. */
        Degradation: {
            /** @description The stage that fell back. */
            stage: string;
            /** @description A stable word for why. */
            reason: string;
        };
        /** @description A candidate that the answer cannot have. */
        Dropped: {
            itemId: string;
            /** @description `unknown`: the bundle has no such item. `ineligible`: the scenario does not show it to this user, `exclude` or a filter leaves it out, or the user does not want it. Known values: `unknown`, `ineligible`. A later release may add others. */
            reason: "unknown" | "ineligible" | (string & {});
        };
        /** @description The process answers. */
        Liveness: {
            /** @description Known values: `live`. A later release may add others. */
            status: "live" | (string & {});
        };
        /** @description A bundle is open and requests are welcome. */
        Readiness: {
            /** @description Known values: `ready`. A later release may add others. */
            status: "ready" | (string & {});
            /** @description The version of the bundle in service. */
            bundle: string;
            /** @description The channel that the bundle is served from. */
            channel: string;
        };
        /** @description What went wrong, as application/problem+json. */
        Problem: {
            /** @description Names the kind of problem; one per code. */
            type: string;
            /** @description The kind of problem in words, the same for every occurrence. */
            title: string;
            /** @description The HTTP status. */
            status: number;
            /** @description Stable: switch on this one. Known values: `INVALID_REQUEST`, `INVALID_CURSOR`, `UNAUTHENTICATED`, `FORBIDDEN`, `HOST_NOT_ALLOWED`, `CROSS_SITE`, `UNKNOWN_SCENARIO`, `UNKNOWN_ATTRIBUTE`, `UNKNOWN_CONTEXT`, `ITEM_NOT_FOUND`, `ROUTE_NOT_FOUND`, `METHOD_NOT_ALLOWED`, `REQUEST_TIMEOUT`, `PAYLOAD_TOO_LARGE`, `URI_TOO_LONG`, `UNSUPPORTED_MEDIA_TYPE`, `RATE_LIMITED`, `HEADERS_TOO_LARGE`, `KEYS_UNAVAILABLE`, `NOT_READY`, `INTERNAL`, `SOURCE_FAILED`, `RANKER_FAILED`, `RANKER_TIMEOUT`, `DEADLINE_EXCEEDED`, `EVENTS_UNAVAILABLE`, `OVERLOADED`, `COMPUTE_FAILED`, `RANKER_INVALID_OUTPUT`. A later release may add others. */
            code: "INVALID_REQUEST" | "INVALID_CURSOR" | "UNAUTHENTICATED" | "FORBIDDEN" | "HOST_NOT_ALLOWED" | "CROSS_SITE" | "UNKNOWN_SCENARIO" | "UNKNOWN_ATTRIBUTE" | "UNKNOWN_CONTEXT" | "ITEM_NOT_FOUND" | "ROUTE_NOT_FOUND" | "METHOD_NOT_ALLOWED" | "REQUEST_TIMEOUT" | "PAYLOAD_TOO_LARGE" | "URI_TOO_LONG" | "UNSUPPORTED_MEDIA_TYPE" | "RATE_LIMITED" | "HEADERS_TOO_LARGE" | "KEYS_UNAVAILABLE" | "NOT_READY" | "INTERNAL" | "SOURCE_FAILED" | "RANKER_FAILED" | "RANKER_TIMEOUT" | "DEADLINE_EXCEEDED" | "EVENTS_UNAVAILABLE" | "OVERLOADED" | "COMPUTE_FAILED" | "RANKER_INVALID_OUTPUT" | (string & {});
            /** @description What is wrong this time, for a person. */
            detail: string;
            /** @description The path that was asked for. */
            instance: string;
            /** @description As in the header `x-request-id`. */
            requestId: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    getRecommendations: {
        parameters: {
            query?: {
                /**
                 * @description Items at most. Fewer come back only when no more are left.
                 * @example 5
                 */
                limit?: number;
                /** @description The placement to fill: which sources, rules and ranker. */
                scenario?: string;
                /**
                 * @description The visit of somebody who may be no user yet, by the id under which the app sends its events: what was done in it counts too. The visitor’s secret: drawn at random, and in no answer.
                 * @example v-6yTq0Zc1ROWk
                 */
                sessionId?: string;
                /** @description Items that must not come back, one per `exclude=`. Unknown ids are ignored. */
                exclude?: string[];
                /** @description Only items whose attribute has this value, as `attribute:value`, one per `filter=`. The value of a number may be `<20`, `>=2000` or, with both ends, `1990..2000`; so may that of a date, in ISO 8601. `*` is any value, `!` before any of these takes out what it matches, and a text in quotation marks is itself, whatever it begins with. Values and ranges of one attribute widen the choice; bounds, `*` and `!` narrow it, and so does another attribute. The value may contain colons. */
                filter?: string[];
                /** @description What is known of this moment, as `field:value`, one per `context=`, each field once; the dataset declares the fields. A value that training did not know is as good as none. `hour` (0–23) and `weekday` (1 for Monday to 7) are those of the server’s clock unless given. */
                context?: string[];
                /** @description The attributes that the items of the answer carry, several with commas (`title,year`) or one per `fields=`; empty for none. All that answers show come unless this says which. An attribute that answers do not show is a mistake. */
                fields?: string[];
                /**
                 * @description `sources` says which candidate sources found each item, `features` what the ranker saw of it, `reasons` which rules of the scenario moved it and by how many places.
                 * @example sources
                 */
                explain?: "none" | "sources" | "features" | "reasons";
                /** @description The `nextCursor` of the last answer: the next page, without anything that the pages before have shown. For the same user, or the same session where there is no user, and the same scenario; the rest may change. */
                cursor?: string;
                /**
                 * @description Milliseconds that the client waits. When time runs out it is answered with what most people chose, and `degraded` says so. It can only lower what the server is configured for. The header `x-request-timeout-ms` says the same; the lower of the two counts. For browsers: a request with the header is preflighted.
                 * @example 1000
                 */
                timeoutMs?: number;
            };
            header?: {
                /**
                 * @description Milliseconds that the client waits. When time runs out it is answered with what most people chose, and `degraded` says so. It can only lower what the server is configured for.
                 * @example 1000
                 */
                "x-request-timeout-ms"?: string;
            };
            path: {
                /** @description The user’s id as in the dataset. An id that nobody knows gets a cold start, never an error. */
                userId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Items for one user. */
            200: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    /** @description Whether the answer was kept from before. */
                    "x-cache"?: "hit" | "miss" | "off" | (string & {});
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecommendationsAnswer"];
                };
            };
            /** @description The request is not valid (`INVALID_REQUEST`). No such attribute to filter on, or to show (`UNKNOWN_ATTRIBUTE`). The cursor is not of this request (`INVALID_CURSOR`). No such field of the request context (`UNKNOWN_CONTEXT`). No such scenario (`UNKNOWN_SCENARIO`). */
            400: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request target is too long (`URI_TOO_LONG`). */
            414: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something went wrong on our side (`INTERNAL`). */
            500: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not ready to serve (`NOT_READY`). A candidate source failed (`SOURCE_FAILED`). The ranker failed (`RANKER_FAILED`). The ranker is too slow (`RANKER_TIMEOUT`). There was no time left for an answer (`DEADLINE_EXCEEDED`). More requests than can be answered in time (`OVERLOADED`). The computing threads failed (`COMPUTE_FAILED`). The ranker gave scores that are not numbers (`RANKER_INVALID_OUTPUT`). */
            503: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    /** @description Seconds. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request needs credentials (`UNAUTHENTICATED`). These credentials do not allow it (`FORBIDDEN`). The server is not asked under this host (`HOST_NOT_ALLOWED`). Pages of other origins may not ask this (`CROSS_SITE`). Too many requests (`RATE_LIMITED`). The keys that tokens are checked with cannot be had (`KEYS_UNAVAILABLE`). No such route (`ROUTE_NOT_FOUND`). This route has other methods (`METHOD_NOT_ALLOWED`). The request took too long to arrive (`REQUEST_TIMEOUT`). The request body is too large (`PAYLOAD_TOO_LARGE`). This media type is not read here (`UNSUPPORTED_MEDIA_TYPE`). The request headers are too large (`HEADERS_TOO_LARGE`). */
            default: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    /** @description Seconds. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postRecommendations: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Milliseconds that the client waits. When time runs out it is answered with what most people chose, and `degraded` says so. It can only lower what the server is configured for.
                 * @example 1000
                 */
                "x-request-timeout-ms"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description The user’s id as in the dataset. An id that nobody knows gets a cold start, never an error. */
                    userId?: string;
                    /**
                     * @description The visit of somebody who may be no user yet, by the id under which the app sends its events: what was done in it counts too. The visitor’s secret: drawn at random, and in no answer.
                     * @example v-6yTq0Zc1ROWk
                     */
                    sessionId?: string;
                    /** @description Items that whoever asks has just touched, oldest first: history for this answer only, kept nowhere. Unknown ids are ignored. */
                    sessionItems?: string[];
                    /** @description Rank these items and no others. `dropped` names those that cannot be in the answer. An id that is there twice counts once. */
                    candidates?: string[];
                    /** @description Items at most: 10 unless given; with `candidates` as many as they are, at most 100. */
                    limit?: number;
                    /**
                     * @description The placement to fill: which sources, rules and ranker.
                     * @default home
                     */
                    scenario?: string;
                    /** @description Items that must not come back. Unknown ids are ignored. */
                    exclude?: string[];
                    /** @description Only items whose attributes have these values, each as `attribute:value`. The value of a number may be `<20`, `>=2000` or, with both ends, `1990..2000`; so may that of a date, in ISO 8601. `*` is any value, `!` before any of these takes out what it matches, and a text in quotation marks is itself, whatever it begins with. Values and ranges of one attribute widen the choice; bounds, `*` and `!` narrow it, and so does another attribute. The value may contain colons. */
                    filter?: string[];
                    /** @description What is known of this moment, each as `field:value`, each field once; the dataset declares the fields. A value that training did not know is as good as none. `hour` (0–23) and `weekday` (1 for Monday to 7) are those of the server’s clock unless given. */
                    context?: string[];
                    /** @description The attributes that the items of the answer carry; an empty list for none. All that answers show come unless this says which. An attribute that answers do not show is a mistake. */
                    fields?: string[];
                    /**
                     * @description `sources` says which candidate sources found each item, `features` what the ranker saw of it, `reasons` which rules of the scenario moved it and by how many places.
                     * @default none
                     * @example sources
                     * @enum {string}
                     */
                    explain?: "none" | "sources" | "features" | "reasons";
                    /** @description The `nextCursor` of the last answer: the next page, without anything that the pages before have shown. For the same user, or the same session where there is no user, and the same scenario; the rest may change. */
                    cursor?: string;
                    /** @description Milliseconds that the client waits. When time runs out it is answered with what most people chose, and `degraded` says so. It can only lower what the server is configured for. The header `x-request-timeout-ms` says the same; the lower of the two counts. */
                    timeoutMs?: number;
                };
            };
        };
        responses: {
            /** @description Items for a user, for a visitor, or for anybody. */
            200: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    /** @description Whether the answer was kept from before. */
                    "x-cache"?: "hit" | "miss" | "off" | (string & {});
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PostRecommendationsAnswer"];
                };
            };
            /** @description The request is not valid (`INVALID_REQUEST`). No such attribute to filter on, or to show (`UNKNOWN_ATTRIBUTE`). The cursor is not of this request (`INVALID_CURSOR`). No such field of the request context (`UNKNOWN_CONTEXT`). No such scenario (`UNKNOWN_SCENARIO`). */
            400: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is too large (`PAYLOAD_TOO_LARGE`). */
            413: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request target is too long (`URI_TOO_LONG`). */
            414: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description This media type is not read here (`UNSUPPORTED_MEDIA_TYPE`). */
            415: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something went wrong on our side (`INTERNAL`). */
            500: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not ready to serve (`NOT_READY`). A candidate source failed (`SOURCE_FAILED`). The ranker failed (`RANKER_FAILED`). The ranker is too slow (`RANKER_TIMEOUT`). There was no time left for an answer (`DEADLINE_EXCEEDED`). More requests than can be answered in time (`OVERLOADED`). The computing threads failed (`COMPUTE_FAILED`). The ranker gave scores that are not numbers (`RANKER_INVALID_OUTPUT`). */
            503: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    /** @description Seconds. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request needs credentials (`UNAUTHENTICATED`). These credentials do not allow it (`FORBIDDEN`). The server is not asked under this host (`HOST_NOT_ALLOWED`). Pages of other origins may not ask this (`CROSS_SITE`). Too many requests (`RATE_LIMITED`). The keys that tokens are checked with cannot be had (`KEYS_UNAVAILABLE`). No such route (`ROUTE_NOT_FOUND`). This route has other methods (`METHOD_NOT_ALLOWED`). The request took too long to arrive (`REQUEST_TIMEOUT`). The request body is too large (`PAYLOAD_TOO_LARGE`). This media type is not read here (`UNSUPPORTED_MEDIA_TYPE`). The request headers are too large (`HEADERS_TOO_LARGE`). */
            default: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    /** @description Seconds. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    rankItems: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Milliseconds that the client waits. When time runs out it is answered with what most people chose, and `degraded` says so. It can only lower what the server is configured for.
                 * @example 1000
                 */
                "x-request-timeout-ms"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description The user’s id as in the dataset. An id that nobody knows gets a cold start, never an error. */
                    userId?: string;
                    /**
                     * @description The visit of somebody who may be no user yet, by the id under which the app sends its events: what was done in it counts too. The visitor’s secret: drawn at random, and in no answer.
                     * @example v-6yTq0Zc1ROWk
                     */
                    sessionId?: string;
                    /** @description Items that whoever asks has just touched, oldest first: history for this answer only, kept nowhere. Unknown ids are ignored. */
                    sessionItems?: string[];
                    /** @description Rank these items and no others. `dropped` names those that cannot be in the answer. An id that is there twice counts once. */
                    candidates: string[];
                    /** @description Items at most: as many as there are candidates unless given, at most 100. */
                    limit?: number;
                    /**
                     * @description The placement to fill: which sources, rules and ranker.
                     * @default home
                     */
                    scenario?: string;
                    /** @description Items that must not come back. Unknown ids are ignored. */
                    exclude?: string[];
                    /** @description Only items whose attributes have these values, each as `attribute:value`. The value of a number may be `<20`, `>=2000` or, with both ends, `1990..2000`; so may that of a date, in ISO 8601. `*` is any value, `!` before any of these takes out what it matches, and a text in quotation marks is itself, whatever it begins with. Values and ranges of one attribute widen the choice; bounds, `*` and `!` narrow it, and so does another attribute. The value may contain colons. */
                    filter?: string[];
                    /** @description What is known of this moment, each as `field:value`, each field once; the dataset declares the fields. A value that training did not know is as good as none. `hour` (0–23) and `weekday` (1 for Monday to 7) are those of the server’s clock unless given. */
                    context?: string[];
                    /** @description The attributes that the items of the answer carry; an empty list for none. All that answers show come unless this says which. An attribute that answers do not show is a mistake. */
                    fields?: string[];
                    /**
                     * @description `sources` says which candidate sources found each item, `features` what the ranker saw of it, `reasons` which rules of the scenario moved it and by how many places.
                     * @default none
                     * @example sources
                     * @enum {string}
                     */
                    explain?: "none" | "sources" | "features" | "reasons";
                    /** @description The `nextCursor` of the last answer: the next page, without anything that the pages before have shown. For the same user, or the same session where there is no user, and the same scenario; the rest may change. */
                    cursor?: string;
                    /** @description Milliseconds that the client waits. When time runs out it is answered with what most people chose, and `degraded` says so. It can only lower what the server is configured for. The header `x-request-timeout-ms` says the same; the lower of the two counts. */
                    timeoutMs?: number;
                };
            };
        };
        responses: {
            /** @description Items for a user, for a visitor, or for anybody. */
            200: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    /** @description Whether the answer was kept from before. */
                    "x-cache"?: "hit" | "miss" | "off" | (string & {});
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PostRecommendationsAnswer"];
                };
            };
            /** @description The request is not valid (`INVALID_REQUEST`). No such attribute to filter on, or to show (`UNKNOWN_ATTRIBUTE`). The cursor is not of this request (`INVALID_CURSOR`). No such field of the request context (`UNKNOWN_CONTEXT`). No such scenario (`UNKNOWN_SCENARIO`). */
            400: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is too large (`PAYLOAD_TOO_LARGE`). */
            413: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request target is too long (`URI_TOO_LONG`). */
            414: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description This media type is not read here (`UNSUPPORTED_MEDIA_TYPE`). */
            415: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something went wrong on our side (`INTERNAL`). */
            500: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not ready to serve (`NOT_READY`). A candidate source failed (`SOURCE_FAILED`). The ranker failed (`RANKER_FAILED`). The ranker is too slow (`RANKER_TIMEOUT`). There was no time left for an answer (`DEADLINE_EXCEEDED`). More requests than can be answered in time (`OVERLOADED`). The computing threads failed (`COMPUTE_FAILED`). The ranker gave scores that are not numbers (`RANKER_INVALID_OUTPUT`). */
            503: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    /** @description Seconds. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request needs credentials (`UNAUTHENTICATED`). These credentials do not allow it (`FORBIDDEN`). The server is not asked under this host (`HOST_NOT_ALLOWED`). Pages of other origins may not ask this (`CROSS_SITE`). Too many requests (`RATE_LIMITED`). The keys that tokens are checked with cannot be had (`KEYS_UNAVAILABLE`). No such route (`ROUTE_NOT_FOUND`). This route has other methods (`METHOD_NOT_ALLOWED`). The request took too long to arrive (`REQUEST_TIMEOUT`). The request body is too large (`PAYLOAD_TOO_LARGE`). This media type is not read here (`UNSUPPORTED_MEDIA_TYPE`). The request headers are too large (`HEADERS_TOO_LARGE`). */
            default: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    /** @description Seconds. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getSimilarItems: {
        parameters: {
            query?: {
                /**
                 * @description Items at most. Fewer come back only when no more are left.
                 * @example 5
                 */
                limit?: number;
                /** @description Items that must not come back, one per `exclude=`. Unknown ids are ignored. */
                exclude?: string[];
                /** @description Only items whose attribute has this value, as `attribute:value`, one per `filter=`. The value of a number may be `<20`, `>=2000` or, with both ends, `1990..2000`; so may that of a date, in ISO 8601. `*` is any value, `!` before any of these takes out what it matches, and a text in quotation marks is itself, whatever it begins with. Values and ranges of one attribute widen the choice; bounds, `*` and `!` narrow it, and so does another attribute. The value may contain colons. */
                filter?: string[];
                /** @description The attributes that the items of the answer carry, several with commas (`title,year`) or one per `fields=`; empty for none. All that answers show come unless this says which. An attribute that answers do not show is a mistake. */
                fields?: string[];
                /**
                 * @description `sources` says which candidate sources found each item, `features` what the ranker saw of it, `reasons` which rules of the scenario moved it and by how many places.
                 * @example sources
                 */
                explain?: "none" | "sources" | "features" | "reasons";
                /**
                 * @description Milliseconds that the client waits. When time runs out it is answered with what most people chose, and `degraded` says so. It can only lower what the server is configured for. The header `x-request-timeout-ms` says the same; the lower of the two counts. For browsers: a request with the header is preflighted.
                 * @example 1000
                 */
                timeoutMs?: number;
            };
            header?: {
                /**
                 * @description Milliseconds that the client waits. When time runs out it is answered with what most people chose, and `degraded` says so. It can only lower what the server is configured for.
                 * @example 1000
                 */
                "x-request-timeout-ms"?: string;
                /**
                 * @description The `etag` of the answer that the client has, several with commas, or `*` for any: while it is the same, the answer is a 304 without a body.
                 * @example W/"9bMQzxAT8-P-v9DGzCgWnp"
                 */
                "if-none-match"?: string;
            };
            path: {
                /** @description An item’s id as in the dataset. */
                itemId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Items that go with one item. */
            200: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    /** @description Whether the answer was kept from before. */
                    "x-cache"?: "hit" | "miss" | "off" | (string & {});
                    /** @description Names what the answer says, save `requestId` and `slateId`: to be sent in `If-None-Match`. */
                    etag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SimilarItemsAnswer"];
                };
            };
            /** @description The client has the answer, by its `If-None-Match`. There is no body. */
            304: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    /** @description Whether the answer was kept from before. */
                    "x-cache"?: "hit" | "miss" | "off" | (string & {});
                    /** @description Names what the answer says, save `requestId` and `slateId`: to be sent in `If-None-Match`. */
                    etag?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is not valid (`INVALID_REQUEST`). No such attribute to filter on, or to show (`UNKNOWN_ATTRIBUTE`). */
            400: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such item (`ITEM_NOT_FOUND`). */
            404: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request target is too long (`URI_TOO_LONG`). */
            414: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something went wrong on our side (`INTERNAL`). */
            500: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not ready to serve (`NOT_READY`). A candidate source failed (`SOURCE_FAILED`). The ranker failed (`RANKER_FAILED`). The ranker is too slow (`RANKER_TIMEOUT`). There was no time left for an answer (`DEADLINE_EXCEEDED`). More requests than can be answered in time (`OVERLOADED`). The computing threads failed (`COMPUTE_FAILED`). The ranker gave scores that are not numbers (`RANKER_INVALID_OUTPUT`). */
            503: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    /** @description Seconds. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request needs credentials (`UNAUTHENTICATED`). These credentials do not allow it (`FORBIDDEN`). The server is not asked under this host (`HOST_NOT_ALLOWED`). Pages of other origins may not ask this (`CROSS_SITE`). Too many requests (`RATE_LIMITED`). The keys that tokens are checked with cannot be had (`KEYS_UNAVAILABLE`). No such route (`ROUTE_NOT_FOUND`). This route has other methods (`METHOD_NOT_ALLOWED`). The request took too long to arrive (`REQUEST_TIMEOUT`). The request body is too large (`PAYLOAD_TOO_LARGE`). This media type is not read here (`UNSUPPORTED_MEDIA_TYPE`). The request headers are too large (`HEADERS_TOO_LARGE`). */
            default: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    /** @description Seconds. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getPopular: {
        parameters: {
            query?: {
                /**
                 * @description Items at most. Fewer come back only when no more are left.
                 * @example 5
                 */
                limit?: number;
                /** @description Items that must not come back, one per `exclude=`. Unknown ids are ignored. */
                exclude?: string[];
                /** @description Only items whose attribute has this value, as `attribute:value`, one per `filter=`. The value of a number may be `<20`, `>=2000` or, with both ends, `1990..2000`; so may that of a date, in ISO 8601. `*` is any value, `!` before any of these takes out what it matches, and a text in quotation marks is itself, whatever it begins with. Values and ranges of one attribute widen the choice; bounds, `*` and `!` narrow it, and so does another attribute. The value may contain colons. */
                filter?: string[];
                /** @description The attributes that the items of the answer carry, several with commas (`title,year`) or one per `fields=`; empty for none. All that answers show come unless this says which. An attribute that answers do not show is a mistake. */
                fields?: string[];
                /**
                 * @description Milliseconds that the client waits. When time runs out it is answered with what most people chose, and `degraded` says so. It can only lower what the server is configured for. The header `x-request-timeout-ms` says the same; the lower of the two counts. For browsers: a request with the header is preflighted.
                 * @example 1000
                 */
                timeoutMs?: number;
            };
            header?: {
                /**
                 * @description Milliseconds that the client waits. When time runs out it is answered with what most people chose, and `degraded` says so. It can only lower what the server is configured for.
                 * @example 1000
                 */
                "x-request-timeout-ms"?: string;
                /**
                 * @description The `etag` of the answer that the client has, several with commas, or `*` for any: while it is the same, the answer is a 304 without a body.
                 * @example W/"9bMQzxAT8-P-v9DGzCgWnp"
                 */
                "if-none-match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What most people chose. */
            200: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    /** @description Whether the answer was kept from before. */
                    "x-cache"?: "hit" | "miss" | "off" | (string & {});
                    /** @description Names what the answer says, save `requestId` and `slateId`: to be sent in `If-None-Match`. */
                    etag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PopularAnswer"];
                };
            };
            /** @description The client has the answer, by its `If-None-Match`. There is no body. */
            304: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    /** @description Whether the answer was kept from before. */
                    "x-cache"?: "hit" | "miss" | "off" | (string & {});
                    /** @description Names what the answer says, save `requestId` and `slateId`: to be sent in `If-None-Match`. */
                    etag?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is not valid (`INVALID_REQUEST`). No such attribute to filter on, or to show (`UNKNOWN_ATTRIBUTE`). */
            400: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request target is too long (`URI_TOO_LONG`). */
            414: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something went wrong on our side (`INTERNAL`). */
            500: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not ready to serve (`NOT_READY`). A candidate source failed (`SOURCE_FAILED`). The ranker failed (`RANKER_FAILED`). The ranker is too slow (`RANKER_TIMEOUT`). There was no time left for an answer (`DEADLINE_EXCEEDED`). More requests than can be answered in time (`OVERLOADED`). The computing threads failed (`COMPUTE_FAILED`). The ranker gave scores that are not numbers (`RANKER_INVALID_OUTPUT`). */
            503: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    /** @description Seconds. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request needs credentials (`UNAUTHENTICATED`). These credentials do not allow it (`FORBIDDEN`). The server is not asked under this host (`HOST_NOT_ALLOWED`). Pages of other origins may not ask this (`CROSS_SITE`). Too many requests (`RATE_LIMITED`). The keys that tokens are checked with cannot be had (`KEYS_UNAVAILABLE`). No such route (`ROUTE_NOT_FOUND`). This route has other methods (`METHOD_NOT_ALLOWED`). The request took too long to arrive (`REQUEST_TIMEOUT`). The request body is too large (`PAYLOAD_TOO_LARGE`). This media type is not read here (`UNSUPPORTED_MEDIA_TYPE`). The request headers are too large (`HEADERS_TOO_LARGE`). */
            default: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    /** @description Seconds. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postEvents: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    events: {
                        /** @description Drawn by the sender, unique per user or session: the same one again counts once. Without one the event counts as often as it is sent. */
                        eventId?: string;
                        /** @description The user’s id as in the dataset. */
                        userId?: string;
                        /** @description The visitor’s secret: drawn at random. At least one of userId and sessionId. */
                        sessionId?: string;
                        /** @description One that the bundle does not know is kept, and counts once a bundle knows it. */
                        itemId: string;
                        /** @description `click`, `purchase`, `dislike`, … as the interactions of the dataset call it. */
                        type: string;
                        /** @description A rating, a number of pieces, a price. */
                        value?: number;
                        /** @description ISO 8601, or Unix seconds; that is the arrival when absent. At most 60 s ahead, and not older than the server allows. */
                        timestamp?: string | number;
                        /** @description Of the answer that showed the item. */
                        slateId?: string;
                        /** @description What was known of the moment, by field of the request context. */
                        context?: {
                            [key: string]: string | number | boolean;
                        };
                    }[];
                };
            };
        };
        responses: {
            /** @description What became of the events. */
            202: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventsAnswer"];
                };
            };
            /** @description The request is not valid (`INVALID_REQUEST`). */
            400: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is too large (`PAYLOAD_TOO_LARGE`). */
            413: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description This media type is not read here (`UNSUPPORTED_MEDIA_TYPE`). */
            415: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something went wrong on our side (`INTERNAL`). */
            500: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Events cannot be kept now (`EVENTS_UNAVAILABLE`). */
            503: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    /** @description Seconds. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request needs credentials (`UNAUTHENTICATED`). These credentials do not allow it (`FORBIDDEN`). The server is not asked under this host (`HOST_NOT_ALLOWED`). Pages of other origins may not ask this (`CROSS_SITE`). Too many requests (`RATE_LIMITED`). The keys that tokens are checked with cannot be had (`KEYS_UNAVAILABLE`). No such route (`ROUTE_NOT_FOUND`). This route has other methods (`METHOD_NOT_ALLOWED`). The request took too long to arrive (`REQUEST_TIMEOUT`). The request body is too large (`PAYLOAD_TOO_LARGE`). This media type is not read here (`UNSUPPORTED_MEDIA_TYPE`). The request headers are too large (`HEADERS_TOO_LARGE`). */
            default: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    /** @description Seconds. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getLive: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The process answers. */
            200: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Liveness"];
                };
            };
            /** @description The request needs credentials (`UNAUTHENTICATED`). These credentials do not allow it (`FORBIDDEN`). The server is not asked under this host (`HOST_NOT_ALLOWED`). Pages of other origins may not ask this (`CROSS_SITE`). Too many requests (`RATE_LIMITED`). The keys that tokens are checked with cannot be had (`KEYS_UNAVAILABLE`). No such route (`ROUTE_NOT_FOUND`). This route has other methods (`METHOD_NOT_ALLOWED`). The request took too long to arrive (`REQUEST_TIMEOUT`). The request body is too large (`PAYLOAD_TOO_LARGE`). This media type is not read here (`UNSUPPORTED_MEDIA_TYPE`). The request headers are too large (`HEADERS_TOO_LARGE`). */
            default: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    /** @description Seconds. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getReady: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A bundle is open and requests are welcome. */
            200: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Readiness"];
                };
            };
            /** @description Not ready to serve (`NOT_READY`). */
            503: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    /** @description Seconds. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request needs credentials (`UNAUTHENTICATED`). These credentials do not allow it (`FORBIDDEN`). The server is not asked under this host (`HOST_NOT_ALLOWED`). Pages of other origins may not ask this (`CROSS_SITE`). Too many requests (`RATE_LIMITED`). The keys that tokens are checked with cannot be had (`KEYS_UNAVAILABLE`). No such route (`ROUTE_NOT_FOUND`). This route has other methods (`METHOD_NOT_ALLOWED`). The request took too long to arrive (`REQUEST_TIMEOUT`). The request body is too large (`PAYLOAD_TOO_LARGE`). This media type is not read here (`UNSUPPORTED_MEDIA_TYPE`). The request headers are too large (`HEADERS_TOO_LARGE`). */
            default: {
                headers: {
                    /** @description The incoming one when it was sane, else a new one. */
                    "x-request-id"?: string;
                    /** @description Seconds. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
