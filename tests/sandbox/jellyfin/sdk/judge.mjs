// Speaks to a Jellyfin server through the makers' own SDK and prints what came back as one JSON object.
// Usage: node judge.mjs URL USER PASSWORD
import { createRequire } from 'node:module';

const require = createRequire(`${process.cwd()}/package.json`);
const { Jellyfin } = require('@jellyfin/sdk');
const api = (name) => require(`@jellyfin/sdk/lib/utils/api/${name}-api`);

const [url, user, password] = process.argv.slice(2);
const jellyfin = new Jellyfin({
  clientInfo: { name: 'Judge', version: '1.0' },
  deviceInfo: { name: 'desk', id: 'judge-sdk' },
});
const server = jellyfin.createApi(url);

const info = (await api('system').getSystemApi(server).getPublicSystemInfo()).data;
const login = (
  await api('authentication').getAuthenticationApi(server).authenticateUserByName({
    authenticateUserByName: { Username: user, Pw: password },
  })
).data;
server.update({ accessToken: login.AccessToken });
const userId = login.User.Id;
const me = (await api('user').getUserApi(server).getCurrentUser()).data;
const views = (await api('user-view').getUserViewApi(server).getUserViews({ userId })).data;
const items = (
  await api('library').getLibraryApi(server).getItems({
    userId,
    recursive: true,
    includeItemTypes: ['Movie', 'Episode'],
    fields: ['ProviderIds', 'Path'],
    sortBy: ['SortName'],
    limit: 100,
  })
).data;
const film = items.Items.find((item) => item.ProviderIds.Tmdb === '603');
const state = api('user-data').getUserDataApi(server);
const marked = (
  await state.markPlayedItem({ userId, itemId: film.Id, datePlayed: '2020-01-02T03:04:05Z' })
).data;
const unmarked = (await state.markUnplayedItem({ userId, itemId: film.Id })).data;
const written = (
  await state.updateItemUserData({
    userId,
    itemId: film.Id,
    updateUserItemDataDto: { Played: true, PlayCount: 4, PlaybackPositionTicks: 6000000000, Rating: 7.5 },
  })
).data;
const read = (await state.getItemUserData({ userId, itemId: film.Id })).data;
const resume = (await api('library').getLibraryApi(server).getResumeItems({ userId })).data;
const folders = (await api('library-structure').getLibraryStructureApi(server).getVirtualFolders()).data;
const sessions = (await api('session').getSessionApi(server).getSessions()).data;

console.log(
  JSON.stringify({
    version: info.Version,
    me: me.Name,
    views: views.Items.map((view) => view.Name),
    items: items.TotalRecordCount,
    marked,
    unmarked,
    written,
    read,
    resume: resume.Items.map((item) => item.Name),
    folders: folders.map((folder) => folder.CollectionType),
    devices: sessions.map((session) => session.DeviceId),
  }),
);
