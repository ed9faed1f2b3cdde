/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line, read once: options may stand before and after the verb, as with systemd's tools. */
#pragma once

#include <stdbool.h>

#include "base/host.h"
#include "base/text.h"
#include "client/exit-code.h"

typedef struct Verb Verb;

typedef enum JsonMode {
        JSON_DEFAULT, /* as the verb likes it: replay writes NDJSON, the others write for people */
        JSON_OFF,
        JSON_SHORT,   /* one line */
        JSON_PRETTY,
} JsonMode;

/* A domain as a user writes it. */
typedef struct DomainName {
        const char *text; /* as given; borrowed */
        bool is_uuid;
        uint64_t id;                /* if it is no UUID */
        char uuid[UUID_TEXT_SIZE];  /* lower case */
        char hex[DOMAIN_ID_TEXT_SIZE];
} DomainName;

#define OPTIONS_FILTER_MAX 64

/* What a filter accepts; empty: everything. */
typedef struct NameList {
        const char *names[OPTIONS_FILTER_MAX]; /* borrowed from argv, which is cut at commas */
        size_t n;
} NameList;

typedef struct Options {
        const Verb *verb;
        char **args; /* of the verb; NULL-terminated, borrowed */
        size_t n_args;
        const char *bus;    /* "system", "session" or an address */
        const char *socket; /* monitor: the path; NULL: over D-Bus */
        JsonMode json;
        bool legend, pager, full, verbose, reverse, snapshot;
        bool self;         /* lookup: of this process */
        int pidfd;         /* lookup: of the process that it holds; -EBADF: not given */
        const char *state; /* "allocated", "deallocated" or "any" */
        unsigned limit;    /* 0: not given */
        bool has_since;
        uint64_t since;
        NameList types, blockers;
        DomainName domains[OPTIONS_FILTER_MAX]; /* of --domain= */
        size_t n_domains;
        Host host; /* of --boot-id= and --machine-id= */
} Options;

/* Hex with or without 0x, or a UUID; -EINVAL. */
int domain_name_parse(const char *text, DomainName *ret);

/* Whether --domain= names this one, or was not given. Each may be NULL, as not known. */
bool options_want_domain(const Options *options, const char *hex, const char *uuid);

/* Whether --type= names this one, or was not given. */
bool options_want_type(const Options *options, const char *type);

typedef enum OptionsResult {
        OPTIONS_RUN,   /* the verb is to be run */
        OPTIONS_DONE,  /* --help or --version: said */
        OPTIONS_WRONG, /* what is wrong has been said on stderr */
} OptionsResult;

/* Permutes argv and borrows from it. */
OptionsResult options_parse(int argc, char **argv, Options *ret);
