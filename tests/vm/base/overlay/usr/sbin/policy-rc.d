#!/bin/sh
# No service is started while packages are installed into the root.
exit 101
