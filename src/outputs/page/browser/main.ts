/** The page's script: listens to what changes, and puts it into the page that the server has rendered. */
import { keepClock, showLocalTimes } from './clock.ts';
import { Connection } from './connection.ts';
import { startOverview } from './overview.ts';
import { startPrefix } from './prefix.ts';

const { page, root = './' } = document.body.dataset;
const connection = new Connection(root);
keepClock();
showLocalTimes(document);
if (page === 'overview') startOverview(connection);
else startPrefix(connection);
