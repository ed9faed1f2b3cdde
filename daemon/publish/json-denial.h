/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A denial's own part of its line: what was denied, to whom, in which system call. */
#pragma once

#include "model/denial.h"
#include "publish/json-writer.h"

/* The members from "count" to "incomplete", into an object that is open. */
void json_denial_put(JsonWriter *w, const Denial *denial);
