/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A line from a client of the JSON socket: it is good, or it is told what is wrong with it. */
#include <assert.h>
#include <jansson.h>

#include "fuzz.h"
#include "publish/json-request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        JsonRequest request;
        bool good;

        if (size > JSON_REQUEST_MAX)
                return 0;

        good = json_request_parse((Text) { (const char *) data, size }, &request);
        assert(good == !request.error_name);
        assert(good ? request.op != JSON_OP_UNKNOWN : request.error[0] != '\0');
        if (request.n_id > 0) {
                json_t *id = json_loadb(request.id, request.n_id, JSON_DECODE_ANY, NULL);

                assert(id);
                json_decref(id);
        }
        return 0;
}
