-- Where the collection of tombstones looks: nothing is in it but links that ended, oldest first.
create index on links (ts) where not present;
