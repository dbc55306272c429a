"""The kernel: schema, ids, config, paths, blobs, landing, database, suppressions and the release format.

Every other package stands on this one; it stands on third-party libraries alone.
"""
